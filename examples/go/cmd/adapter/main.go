// Command adapter puts the client under linkproof's adapter contract: one JSON object a line, requests on standard
// input, answers and events on standard output.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

const lineMaxBytes = 1 << 20

// started is the beginning of the monotonic clock that stamps everything.
var started = time.Now()

func nowNS() int64 { return time.Since(started).Nanoseconds() }

// request is one line of standard input.
type request struct {
	ID   int64           `json:"id"`
	Call string          `json:"call"`
	Args json.RawMessage `json:"args"`
}

// output is standard output. It writes one line at a time.
type output struct {
	mu      sync.Mutex
	encoder *json.Encoder
}

func (o *output) say(line map[string]any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.encoder.Encode(line); err != nil {
		slog.Error("nobody reads any more", "cause", err)
		os.Exit(1)
	}
}

func (o *output) event(name string, atNS int64, args map[string]any) {
	o.say(map[string]any{"event": name, "at_ns": atNS, "args": args})
}

func (o *output) answer(id int64, result map[string]any) {
	o.say(map[string]any{"id": id, "at_ns": nowNS(), "result": result})
}

func (o *output) fail(id int64, why string) {
	o.say(map[string]any{"id": id, "at_ns": nowNS(), "error": why})
}

func main() {
	if err := run(); err != nil {
		slog.Error("the adapter has failed", "cause", err)
		os.Exit(1)
	}
}

func run() error {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	app := newApp(&output{encoder: json.NewEncoder(os.Stdout)})
	defer app.close()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 64<<10), lineMaxBytes)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return fmt.Errorf("a line that is no request: %w", err)
		}
		app.serve(asked)
	}
	return lines.Err()
}
