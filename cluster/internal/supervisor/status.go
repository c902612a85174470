package supervisor

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"envctl.dev/cluster/internal/node"
)

// status is the file in which others read how the cluster is. It may be out of
// date after a kill: whoever reads it asks the lock whether anything runs.
type status struct {
	mutex sync.Mutex
	path  string
	done  chan struct{}

	State   string             `json:"state"` // starting, running, stopping, stopped, failed
	PID     int                `json:"pid"`
	Inside  int                `json:"inside"` // process 1 of the node, as the machine numbers it
	Since   time.Time          `json:"since"`
	Waiting string             `json:"waiting"`
	Message string             `json:"message"`
	Seconds map[string]float64 `json:"seconds"` // from the start to each part's readiness
	Config  *node.Config       `json:"config"`
}

func newStatus(config *node.Config) *status {
	s := &status{
		path:    filepath.Join(config.Folder, "status.json"),
		done:    make(chan struct{}),
		State:   "starting",
		PID:     os.Getpid(),
		Since:   time.Now().UTC(),
		Seconds: map[string]float64{},
		Config:  config,
	}
	s.change(func() {})
	return s
}

func (s *status) started(inside int) { s.change(func() { s.Inside = inside }) }
func (s *status) stopping()          { s.change(func() { s.State = "stopping" }) }

func (s *status) stopped() {
	s.change(func() { s.State, s.Inside, s.PID, s.Waiting = "stopped", 0, 0, "" })
}

func (s *status) failed(err error) {
	s.change(func() { s.State, s.Inside, s.PID, s.Message = "failed", 0, 0, err.Error() })
}

// follow takes up what process 1 reports, until it has ended.
func (s *status) follow(messages io.Reader) {
	defer close(s.done)
	lines := bufio.NewScanner(messages)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var message node.Message
		if json.Unmarshal(lines.Bytes(), &message) == nil {
			s.take(message)
		}
	}
}

func (s *status) take(message node.Message) {
	s.change(func() {
		switch {
		case message.Phase != "":
			s.Seconds[message.Phase] = message.Seconds
		case message.Ready:
			s.State, s.Waiting = "running", ""
			s.Seconds["ready"] = time.Since(s.Since).Seconds()
		case message.Error != "":
			s.Message = message.Error
		default:
			s.Waiting = message.Waiting
		}
	})
}

// why says how process 1 came to end without having been asked to.
func (s *status) why(err error) error {
	<-s.done
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.Message != "" {
		return errors.New(s.Message)
	}
	return fmt.Errorf("the node ended by itself: %v", err)
}

// change writes the file as a whole, so that a reader never sees half of it.
func (s *status) change(change func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	change()
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return
	}
	partial := s.path + ".partial"
	if os.WriteFile(partial, content, 0o644) == nil {
		_ = os.Rename(partial, s.path)
	}
}
