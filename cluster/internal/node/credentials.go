package node

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strings"

	"envctl.dev/cluster/internal/pki"
)

const pkiFolder = "pki"

func pkiFile(name string) string { return home(pkiFolder, name) }

// The clients of the API server, each with the identity that RBAC knows it by.
// Every one of them has a kubeconfig of the same name.
var clients = []pki.Leaf{
	{Name: "admin", User: "envctl-admin", Groups: []string{"system:masters"}},
	{Name: "controller-manager", User: "system:kube-controller-manager"},
	{Name: "scheduler", User: "system:kube-scheduler"},
	{Name: "kube-proxy", User: "system:kube-proxy"},
	{Name: "agents", User: "envctl:node-agents"},
	{Name: "metrics-server", User: "envctl:metrics-server"},
	{Name: "kwok", User: "envctl:kwok", Groups: []string{"system:masters"}},
}

// writeCredentials makes all keys, certificates and kubeconfigs that are not there yet.
func (c *Config) writeCredentials() error {
	if err := os.MkdirAll(home(pkiFolder), 0o700); err != nil {
		return err
	}
	if err := issueAll(c.nodeName()); err != nil {
		return err
	}
	for _, client := range append(clients, c.kubelet()) {
		path := home(pkiFolder, client.Name+".kubeconfig")
		if err := c.writeKubeconfig(path, client.Name, apiURL); err != nil {
			return err
		}
	}
	outside := fmt.Sprintf("https://127.0.0.1:%d", c.APIPort)
	return c.writeKubeconfig(home("kubeconfig"), "admin", outside)
}

func (c *Config) kubelet() pki.Leaf {
	return pki.Leaf{Name: "kubelet", User: "system:node:" + c.nodeName(), Groups: []string{"system:nodes"}}
}

func issueAll(nodeName string) error {
	loopback := net.IPv4(127, 0, 0, 1)
	kubernetes := []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local",
	}
	metrics := []string{"metrics-server", "metrics-server.kube-system", "metrics-server.kube-system.svc"}
	leaves := append([]pki.Leaf{
		{Name: "apiserver", User: "kube-apiserver", DNS: kubernetes,
			IPs: []net.IP{loopback, net.IPv6loopback, nodeIP, kubernetesIP}},
		{Name: "apiserver-kubelet", User: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
		{Name: "kubelet", User: "system:node:" + nodeName, Groups: []string{"system:nodes"}},
		{Name: "kubelet-server", User: "system:node:" + nodeName, DNS: []string{nodeName}, IPs: []net.IP{nodeIP, loopback}},
		{Name: "metrics-server-serving", User: "metrics-server", DNS: metrics, IPs: []net.IP{nodeIP}},
	}, clients...)
	// Three authorities: who is trusted to speak for users must not follow from being a client.
	authorities := map[string][]pki.Leaf{
		"ca":             leaves,
		"etcd-ca":        {{Name: "etcd", User: "etcd", IPs: []net.IP{loopback}}, {Name: "apiserver-etcd", User: "kube-apiserver"}},
		"front-proxy-ca": {{Name: "front-proxy", User: "front-proxy-client"}},
	}
	for name, leaves := range authorities {
		authority, err := pki.OpenAuthority(home(pkiFolder), name)
		if err != nil {
			return err
		}
		for _, leaf := range leaves {
			if err := authority.Issue(leaf); err != nil {
				return err
			}
		}
	}
	return pki.KeyPair(home(pkiFolder), "service-accounts")
}

const kubeconfig = `apiVersion: v1
kind: Config
current-context: CONTEXT
clusters:
- name: CONTEXT
  cluster:
    server: SERVER
    certificate-authority-data: AUTHORITY
users:
- name: CONTEXT
  user:
    client-certificate-data: CERTIFICATE
    client-key-data: KEY
contexts:
- name: CONTEXT
  context:
    cluster: CONTEXT
    user: CONTEXT
    extensions:
    - name: envctl.dev/ingress
      extension: {url: "INGRESS"}
`

// writeKubeconfig writes a file that only its owner may read, complete in itself.
// It also says where the cluster's ingress controller answers.
func (c *Config) writeKubeconfig(path, client, server string) error {
	ingress := fmt.Sprintf("http://localhost:%d", c.IngressPort)
	replacements := []string{"CONTEXT", c.Context, "SERVER", server, "INGRESS", ingress}
	for word, file := range map[string]string{"AUTHORITY": "ca.crt", "CERTIFICATE": client + ".crt", "KEY": client + ".key"} {
		content, err := os.ReadFile(pkiFile(file))
		if err != nil {
			return err
		}
		replacements = append(replacements, word, base64.StdEncoding.EncodeToString(content))
	}
	return writeFile(path, strings.NewReplacer(replacements...).Replace(kubeconfig))
}

// writeFile replaces a file as a whole, readable by its owner alone.
func writeFile(path, content string) error {
	partial := path + ".partial"
	if err := os.WriteFile(partial, []byte(content), 0o600); err != nil {
		return err
	}
	return os.Rename(partial, path)
}

// authority is the certificate that clients of the node check its servers by.
func (c *Config) authority() string {
	content, _ := os.ReadFile(pkiFile("ca.crt")) // written a moment ago, or the start has failed
	return base64.StdEncoding.EncodeToString(content)
}
