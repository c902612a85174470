package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// client talks to the API server as the administrator. The few requests that the
// supervisor makes do not justify client-go, whose memory it would hold for good.
type client struct{ http *http.Client }

func newClient() (*client, error) {
	pair, err := tls.LoadX509KeyPair(pkiFile("admin.crt"), pkiFile("admin.key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(pkiFile("ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool}}
	return &client{http: &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

func (c *client) do(ctx context.Context, method, path, contentType string, body []byte) ([]byte, int, error) {
	request, err := http.NewRequestWithContext(ctx, method, apiURL+path, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return content, response.StatusCode, err
}

func (c *client) get(ctx context.Context, path string, into any) error {
	content, code, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	if code != http.StatusOK {
		return fmt.Errorf("GET %s: %d", path, code)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(content, into)
}

// apply creates the object at a path or makes it what it should be.
func (c *client) apply(ctx context.Context, path string, object any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	content, code, err := c.do(ctx, http.MethodPatch, path+"?fieldManager=envctl-local&force=true",
		"application/apply-patch+yaml", body)
	if err != nil {
		return err
	}
	if code != http.StatusOK && code != http.StatusCreated {
		return fmt.Errorf("apply %s: %d: %s", path, code, content)
	}
	return nil
}

func (c *client) delete(ctx context.Context, path string) error {
	_, code, err := c.do(ctx, http.MethodDelete, path, "", nil)
	if err == nil && code != http.StatusOK && code != http.StatusNotFound {
		return fmt.Errorf("DELETE %s: %d", path, code)
	}
	return err
}
