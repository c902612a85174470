// Package node runs a Kubernetes node: it writes the configuration of every
// component, starts them in order, waits until they work, and stops them in order.
package node

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"envctl.dev/cluster/internal/sandbox"
)

// Profiles: the whole node, or only what answers API requests.
const (
	ProfileNode         = "node"
	ProfileControlPlane = "control-plane"
)

// Config is what `envctl local start` asks for. Its file is the only argument.
type Config struct {
	Name        string            `json:"name"`
	Folder      string            `json:"folder"`   // everything the cluster keeps
	Programs    string            `json:"programs"` // what was built: bin/ and images/
	Context     string            `json:"context"`
	Profile     string            `json:"profile"`
	FakeNodes   int               `json:"fakeNodes"`
	APIPort     int               `json:"apiPort"`
	IngressPort int               `json:"ingressPort"`
	Cgroup      string            `json:"cgroup"`
	Versions    map[string]string `json:"versions"`
}

// ReadConfig reads and checks a configuration file.
func ReadConfig(path string) (*Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	config := &Config{}
	if err := json.Unmarshal(content, config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if config.Name == "" || config.Cgroup == "" || !filepath.IsAbs(config.Folder) || !filepath.IsAbs(config.Programs) {
		return nil, fmt.Errorf("%s: name, cgroup and absolute folder and programs are needed", path)
	}
	return config, nil
}

// The addresses inside. Every node has the same ones: no two share a network.
var (
	nodeIP       = net.IPv4(10, 240, 0, 1)
	nodeNet      = net.IPNet{IP: nodeIP, Mask: net.CIDRMask(24, 32)}
	servicesNet  = net.IPNet{IP: net.IPv4(10, 96, 0, 0), Mask: net.CIDRMask(16, 32)}
	kubernetesIP = net.IPv4(10, 96, 0, 1)
	dnsIP        = net.IPv4(10, 96, 0, 10)
)

const (
	apiAddress     = "127.0.0.1:6443"
	ingressAddress = "10.96.0.80:80" // the Service of the ingress controller
	apiURL         = "https://" + apiAddress
)

// nodeName is also the host name inside.
func (c *Config) nodeName() string { return c.Context }

func home(parts ...string) string {
	return filepath.Join(append([]string{sandbox.Home}, parts...)...)
}

func program(name string) string { return filepath.Join(sandbox.Programs, "bin", name) }

func logFile(name string) string { return filepath.Join(sandbox.Logs, name+".log") }
