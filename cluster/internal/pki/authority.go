// Package pki makes the keys and certificates of a node. They live in one
// folder and are kept over restarts, since a kubeconfig in use refers to them.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// A local cluster is thrown away long before this; renewal would be code without use.
const lifetime = 10 * 365 * 24 * time.Hour

// Authority signs certificates. Its own are at folder/name.crt and .key.
type Authority struct {
	folder      string
	key         crypto.Signer
	certificate *x509.Certificate
}

// Leaf is what a certificate is made out to.
type Leaf struct {
	Name   string // of the files: folder/Name.crt and .key
	User   string
	Groups []string
	DNS    []string
	IPs    []net.IP
}

// OpenAuthority reads the authority of that name, or makes it.
func OpenAuthority(folder, name string) (*Authority, error) {
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path + ".crt"); err == nil {
		return readAuthority(folder, path)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "envctl-" + name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	key, err := newKey(path + ".key")
	if err != nil {
		return nil, err
	}
	if err := sign(path+".crt", template, template, key.Public(), key); err != nil {
		return nil, err
	}
	return readAuthority(folder, path)
}

func readAuthority(folder, path string) (*Authority, error) {
	block, err := readPEM(path + ".key")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(block)
	if err != nil {
		return nil, fmt.Errorf("%s.key: %w", path, err)
	}
	block, err = readPEM(path + ".crt")
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(block)
	if err != nil {
		return nil, fmt.Errorf("%s.crt: %w", path, err)
	}
	return &Authority{folder: folder, key: key, certificate: certificate}, nil
}

// Issue makes a certificate unless it is there already.
func (a *Authority) Issue(leaf Leaf) error {
	path := filepath.Join(a.folder, leaf.Name)
	if _, err := os.Stat(path + ".crt"); err == nil {
		return nil
	}
	key, err := newKey(path + ".key")
	if err != nil {
		return err
	}
	return sign(path+".crt", &x509.Certificate{
		Subject:     pkix.Name{CommonName: leaf.User, Organization: leaf.Groups},
		DNSNames:    leaf.DNS,
		IPAddresses: leaf.IPs,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, key.Public(), a.key)
}

// KeyPair makes folder/name.key and its public half folder/name.pub, for tokens.
func KeyPair(folder, name string) error {
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path + ".pub"); err == nil {
		return nil
	}
	key, err := newKey(path + ".key")
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePEM(path+".pub", "PUBLIC KEY", public)
}

func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", der)
}

func sign(path string, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour) // clocks of containers and hosts differ a little
	template.NotAfter = time.Now().Add(lifetime)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return err
	}
	return writePEM(path, "CERTIFICATE", der)
}

func readPEM(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("%s: not a PEM file", path)
	}
	return block.Bytes, nil
}

// Complete or not at all: a start that was killed here must not leave half a key.
func writePEM(path, kind string, der []byte) error {
	partial := path + ".partial"
	content := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(partial, content, 0o600); err != nil {
		return err
	}
	return os.Rename(partial, path)
}
