package node

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// Message is one line from inside a node to the process that started it.
type Message struct {
	Phase   string  `json:"phase,omitempty"`   // a part that works now
	Seconds float64 `json:"seconds,omitempty"` // since the start
	Waiting string  `json:"waiting,omitempty"` // what is awaited now
	Ready   bool    `json:"ready,omitempty"`   // everything works
	Error   string  `json:"error,omitempty"`   // the start has failed
}

// Report sends messages. A reader that is gone is no reason to stop.
type Report struct {
	mutex sync.Mutex
	to    io.Writer
}

// NewReport writes messages as lines of JSON.
func NewReport(to io.Writer) *Report { return &Report{to: to} }

// Phase says that a part of the node works, and how long that took.
func (r *Report) Phase(name string, began time.Time) {
	r.send(Message{Phase: name, Seconds: time.Since(began).Seconds()})
}

// Waiting says what the start is waiting for.
func (r *Report) Waiting(what string) { r.send(Message{Waiting: what}) }

// Ready says that the start is over.
func (r *Report) Ready() { r.send(Message{Ready: true}) }

// Failed says that it will not be.
func (r *Report) Failed(err error) { r.send(Message{Error: err.Error()}) }

func (r *Report) send(message Message) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	_ = json.NewEncoder(r.to).Encode(message)
}
