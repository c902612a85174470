package sandbox

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/vishvananda/netlink"
)

// A bridge rather than a dummy device: not every kernel has the latter.
const nodeDevice = "node0"

// Network sets up the network of a new namespace: loopback, and a device that
// carries the node's address. It has no way out: a node needs none, and what is
// not there cannot be reached from an untrusted workload.
func Network(node, services net.IPNet) error {
	if err := up("lo"); err != nil {
		return err
	}
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: nodeDevice}}
	if err := netlink.LinkAdd(bridge); err != nil {
		return fmt.Errorf("add %s: %w", nodeDevice, err)
	}
	if err := netlink.AddrAdd(bridge, &netlink.Addr{IPNet: &node}); err != nil {
		return fmt.Errorf("address %s: %w", node.String(), err)
	}
	if err := up(nodeDevice); err != nil {
		return err
	}
	// The node's own programs need some route to a Service before kube-proxy sees the packet.
	route := &netlink.Route{LinkIndex: bridge.Attrs().Index, Dst: &services, Src: node.IP}
	if err := netlink.RouteAdd(route); err != nil {
		return fmt.Errorf("route to %s: %w", services.String(), err)
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
}

func up(device string) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("device %s: %w", device, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("device %s up: %w", device, err)
	}
	return nil
}

// Hostname names the node in its own namespace.
func Hostname(name string) error {
	return syscall.Sethostname([]byte(name))
}
