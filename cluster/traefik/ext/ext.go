// Package ext is Traefik's hook for configuration of its commercial products. Its
// own go.mod replaces it by a folder that is not part of the published module, so
// it has to be given here: empty, as it is there.
package ext

// HTTP extends the configuration of HTTP.
type HTTP struct{}

// Router extends the configuration of a router.
type Router struct{}
