// Package control carries out the requests of linkproof: JSON lines, as docs/server-contract.md has them.
package control

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	contract     = 1
	lineMaxBytes = 1 << 20
)

// ErrLine says that a line is no request: whoever sends such is not linkproof.
var ErrLine = errors.New("a line that is no request")

// Users is what can be done to, and known of, a user of the server.
type Users interface {
	Ban(appID, uid string)
	Unban(appID, uid string)
	Attempts(appID, uid string) int
}

// Hello is what the server says of itself.
type Hello struct {
	Contract   int     `json:"contract"`
	Name       string  `json:"name"`
	Version    string  `json:"version"`
	Language   string  `json:"language"`
	URL        string  `json:"url"`
	HeartbeatS float64 `json:"heartbeat_s"`
}

// NewHello returns it in the version of the contract that is spoken here.
func NewHello(url string, heartbeatS float64) Hello {
	return Hello{contract, "rtmserver", "0.1.0", "go", url, heartbeatS}
}

// Control answers requests.
type Control struct {
	Hello    Hello
	Users    Users
	Lateness *Lateness
	NowNS    func() int64 // a monotonic clock, of whatever beginning
}

type request struct {
	ID   int64           `json:"id"`
	Call string          `json:"call"`
	Args json.RawMessage `json:"args"`
}

type answer struct {
	ID     int64  `json:"id"`
	AtNS   int64  `json:"at_ns"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

type userArgs struct {
	AppID *string `json:"app_id"`
	UID   *string `json:"uid"`
}

type spanArgs struct {
	FromNS int64 `json:"from_ns"`
	ToNS   int64 `json:"to_ns"`
}

var errUnsupported = errors.New("unsupported")

// Serve answers requests until the end of its input or a 'stop'.
func (c *Control) Serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), lineMaxBytes)
	answers := json.NewEncoder(out)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return fmt.Errorf("%w: %.200q: %w", ErrLine, lines.Text(), err)
		}
		told := answer{ID: asked.ID}
		result, err := c.carryOut(asked)
		if told.AtNS = c.NowNS(); err != nil {
			told.Error = err.Error()
		} else {
			told.Result = result
		}
		if err := answers.Encode(told); err != nil {
			return err
		}
		if asked.Call == "stop" {
			return nil
		}
	}
	return lines.Err()
}

func (c *Control) carryOut(asked request) (any, error) {
	nothing := struct{}{}
	switch asked.Call {
	case "hello":
		return c.Hello, nil
	case "clock":
		return map[string]int64{"now_ns": c.NowNS()}, nil
	case "stop":
		return nothing, nil
	case "ban":
		return nothing, ofUser(asked, c.Users.Ban)
	case "unban":
		return nothing, ofUser(asked, c.Users.Unban)
	case "connections":
		attempts := 0
		err := ofUser(asked, func(appID, uid string) { attempts = c.Users.Attempts(appID, uid) })
		return map[string]int{"attempts": attempts}, err
	case "delays":
		var span spanArgs
		if err := json.Unmarshal(asked.Args, &span); err != nil {
			return nil, fmt.Errorf("delays: %w", err)
		}
		late := c.Lateness.Between(span.FromNS, span.ToNS)
		return map[string][][2]int64{"late": late}, nil
	}
	return nil, errUnsupported
}

func ofUser(asked request, do func(appID, uid string)) error {
	var args userArgs
	if err := json.Unmarshal(asked.Args, &args); err != nil {
		return fmt.Errorf("%s: %w", asked.Call, err)
	}
	if args.AppID == nil || args.UID == nil {
		return fmt.Errorf("%s: app_id and uid are needed", asked.Call)
	}
	do(*args.AppID, *args.UID)
	return nil
}
