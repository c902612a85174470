"""The embedded cluster: a real single-node Kubernetes, built and run on this machine.

The only code that knows how its programs are built, what it needs from the host and
how it is started. To everything else it is one more kubeconfig context.
"""
