package node

import (
	"fmt"

	"envctl.dev/cluster/internal/process"
	"envctl.dev/cluster/internal/sandbox"
)

// environment of every program: nothing of the user's session gets in, and
// temporary files stay in the cluster's folder.
func environment() []string {
	return []string{
		"PATH=" + sandbox.Programs + "/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + sandbox.Home,
		"TMPDIR=" + home("tmp"),
		"KUBECONFIG=" + pkiFile("admin.kubeconfig"),
	}
}

func service(name string, argv ...string) *process.Service {
	return &process.Service{Name: name, Argv: argv, Env: environment(), Log: logFile(name)}
}

// kubernetes is a component of the multi-call binary.
func kubernetes(name string, flags ...string) *process.Service {
	return service(name, append([]string{program("kubernetes"), name}, flags...)...)
}

// Data on a test machine needs to survive a killed program, not a power cut:
// without fsync a busy disk does not slow the API server down.
func etcd() *process.Service {
	return kubernetes("etcd",
		"--name=node",
		"--data-dir="+home("etcd"),
		"--unsafe-no-fsync",
		"--listen-client-urls=https://127.0.0.1:2379",
		"--advertise-client-urls=https://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380",
		"--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=node=http://127.0.0.1:2380",
		"--cert-file="+pkiFile("etcd.crt"), "--key-file="+pkiFile("etcd.key"),
		"--client-cert-auth", "--trusted-ca-file="+pkiFile("etcd-ca.crt"),
		"--auto-compaction-retention=10m",
		"--quota-backend-bytes=8589934592",
		"--log-level=warn",
	)
}

func apiserver() *process.Service {
	return kubernetes("kube-apiserver",
		"--advertise-address="+nodeIP.String(),
		"--bind-address=0.0.0.0", "--secure-port=6443",
		"--etcd-servers=https://127.0.0.1:2379",
		"--etcd-cafile="+pkiFile("etcd-ca.crt"),
		"--etcd-certfile="+pkiFile("apiserver-etcd.crt"), "--etcd-keyfile="+pkiFile("apiserver-etcd.key"),
		"--tls-cert-file="+pkiFile("apiserver.crt"), "--tls-private-key-file="+pkiFile("apiserver.key"),
		"--client-ca-file="+pkiFile("ca.crt"),
		"--service-cluster-ip-range="+servicesNet.String(),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file="+pkiFile("service-accounts.pub"),
		"--service-account-signing-key-file="+pkiFile("service-accounts.key"),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--kubelet-certificate-authority="+pkiFile("ca.crt"),
		"--kubelet-client-certificate="+pkiFile("apiserver-kubelet.crt"),
		"--kubelet-client-key="+pkiFile("apiserver-kubelet.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file="+pkiFile("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+pkiFile("front-proxy.crt"), "--proxy-client-key-file="+pkiFile("front-proxy.key"),
		"--enable-aggregator-routing=true",
		"--audit-policy-file="+home("etc", "audit.yaml"),
		"--audit-log-path="+home("audit", "audit.log"),
		"--audit-log-maxsize=50", "--audit-log-maxbackup=2",
		"--profiling=false",
	)
}

func controllerManager() *process.Service {
	config := pkiFile("controller-manager.kubeconfig")
	return kubernetes("kube-controller-manager",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1",
		"--leader-elect=false",
		"--use-service-account-credentials=true",
		// The defaults spare a control plane of many; here they would only slow deletions down.
		"--kube-api-qps=200", "--kube-api-burst=400",
		"--root-ca-file="+pkiFile("ca.crt"),
		"--service-account-private-key-file="+pkiFile("service-accounts.key"),
		"--cluster-signing-cert-file="+pkiFile("ca.crt"), "--cluster-signing-key-file="+pkiFile("ca.key"),
		"--requestheader-client-ca-file="+pkiFile("front-proxy-ca.crt"),
		"--flex-volume-plugin-dir="+home("kubelet", "plugins-flex"),
		"--profiling=false",
	)
}

func scheduler() *process.Service {
	config := pkiFile("scheduler.kubeconfig")
	return kubernetes("kube-scheduler",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address=127.0.0.1",
		"--leader-elect=false",
		"--profiling=false",
	)
}

func containerd() *process.Service {
	return service("containerd", program("containerd"), "--config", home("etc", "containerd.toml"))
}

func kubelet(name string) *process.Service {
	return kubernetes("kubelet",
		"--config="+home("etc", "kubelet.yaml"),
		"--kubeconfig="+pkiFile("kubelet.kubeconfig"),
		"--root-dir="+sandbox.Kubelet,
		"--cert-dir="+home(pkiFolder),
		"--hostname-override="+name,
		"--node-ip="+nodeIP.String(),
		"--node-labels=envctl.dev/local=true",
	)
}

func kubeProxy() *process.Service {
	return kubernetes("kube-proxy", "--config="+home("etc", "kube-proxy.yaml"))
}

func agents(name string) *process.Service {
	return service("node-agents", program("node-agents"),
		"--kubeconfig="+pkiFile("agents.kubeconfig"),
		"--node="+name,
		// The kubelet mounts volumes by their path as containers' creators see it: inside.
		"--volumes="+home("volumes"),
	)
}

func metricsServer() *process.Service {
	config := pkiFile("metrics-server.kubeconfig")
	return kubernetes("metrics-server",
		"--kubeconfig="+config, "--authentication-kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--bind-address="+nodeIP.String(), "--secure-port=4443",
		"--tls-cert-file="+pkiFile("metrics-server-serving.crt"),
		"--tls-private-key-file="+pkiFile("metrics-server-serving.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-certificate-authority="+pkiFile("ca.crt"),
		"--metric-resolution=15s",
		// Fake nodes have no kubelet to ask.
		"--node-selector=envctl.dev/local=true",
	)
}

func kwok() *process.Service {
	return service("kwok", program("kwok"),
		"--kubeconfig="+pkiFile("kwok.kubeconfig"),
		fmt.Sprintf("--manage-nodes-with-annotation-selector=%s=fake", fakeAnnotation),
		"--cidr=10.128.0.0/12", "--node-ip="+nodeIP.String(),
		"--node-lease-duration-seconds=40",
		"--config="+home("etc", "kwok.yaml"),
	)
}
