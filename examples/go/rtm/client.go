// Package rtm is a client for realtime messaging over the wire protocol rtm.v1. It holds on to its connection by
// itself: the app logs in once, and is told what becomes of it.
//
//	client, err := rtm.New("ws://localhost:8765", "my-app", rtm.Callbacks{
//		OnConnectionStateChanged: func(state rtm.State, reason rtm.Reason) { log.Println(state, reason) },
//	})
//	...
//	defer client.Close()
//	err = client.Login(token, "alice")
//
// A Client may be used by several goroutines at once. Its methods never wait for the network: what becomes of a call
// comes as a callback, or with the Call that it returned.
package rtm

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Intervals that a judge of this client has to know.
const (
	// HeartbeatInterval is the longest time between two heartbeats.
	HeartbeatInterval = heartbeatMax
	// RetryInterval is the longest time from a usable link to the start of the attempt that will use it.
	RetryInterval = pauseMax + overdueMin
)

// Option changes something about a new client.
type Option func(*Client)

// WithLogger has the client log what it swallows: callbacks that panic, and why connections ended (at debug level). By
// default that is slog.Default().
func WithLogger(logger *slog.Logger) Option { return func(c *Client) { c.logger = logger } }

// Client is one client of one server. Make it with New, and Close it in the end.
type Client struct {
	url    string
	logger *slog.Logger
	calls  *dispatcher

	mu      sync.Mutex // holds everything below, and the machine
	machine *machine
	sockets map[int]*socket
	running sync.WaitGroup // the goroutines of the sockets
	timer   *time.Timer
}

// New makes a client of the server at this address (ws or wss). It does not connect before Login.
func New(address, appID string, callbacks Callbacks, options ...Option) (*Client, error) {
	if parsed, err := url.Parse(address); err != nil {
		return nil, fmt.Errorf("the address of the server: %w", err)
	} else if parsed.Scheme != "ws" && parsed.Scheme != "wss" {
		return nil, fmt.Errorf("the address of the server is %q, and has to begin with ws:// or wss://", address)
	}
	instance := make([]byte, 16)
	if _, err := rand.Read(instance); err != nil {
		return nil, fmt.Errorf("no randomness to name this client by: %w", err)
	}
	c := &Client{url: address, logger: slog.Default(), sockets: map[int]*socket{}}
	for _, option := range options {
		option(c)
	}
	c.calls = newDispatcher(c.logger)
	c.machine = newMachine((*sockets)(c), callbacks, appID, hex.EncodeToString(instance))
	c.timer = time.AfterFunc(time.Hour, func() { c.event((*machine).tick) })
	c.timer.Stop()
	return c, nil
}

// State is the state that the last OnConnectionStateChanged tells of, or will tell of in a moment.
func (c *Client) State() State {
	return with(c, func(m *machine) State { return m.state })
}

// Login begins a login. What becomes of it comes as OnLoginSuccess or OnLoginFailure. The error is a LoginCode.
func (c *Client) Login(token, uid string) error {
	return orNil(with(c, func(m *machine) LoginCode { return m.login(token, uid) }))
}

// Logout ends the session at once, whether the server can be reached or not. What was under way is given up: joins and
// renewals without a callback of their own, each Call with RequestNotLoggedIn. The error is a LogoutCode.
func (c *Client) Logout() error {
	return orNil(with(c, (*machine).logout))
}

// RenewToken gives the client a new token. The result comes as OnRenewTokenResult. The error is a RenewCode.
func (c *Client) RenewToken(token string) error {
	return orNil(with(c, func(m *machine) RenewCode { return m.renewToken(token) }))
}

// Join asks to join a channel. The result comes as OnJoinSuccess or OnJoinFailure. The error is a JoinCode.
func (c *Client) Join(channel string) error {
	return orNil(with(c, func(m *machine) JoinCode { return m.join(channel) }))
}

// Leave asks to leave a channel. The result comes as OnLeave. The error is a LeaveCode.
func (c *Client) Leave(channel string) error {
	return orNil(with(c, func(m *machine) LeaveCode { return m.leave(channel) }))
}

// SendToPeer sends a message to a user. It is never sent twice: where the answer is lost, the call fails.
func (c *Client) SendToPeer(peer, text string) *Call[struct{}] {
	if !validName(peer) || !fitting(text, textMaxChars) {
		return failedCall[struct{}](RequestInvalidArgument)
	}
	return tell(c, frame{"type": "send_to_peer", "peer": peer, "text": text})
}

// SendToChannel sends a message to the others in a channel. It is never sent twice, as SendToPeer.
func (c *Client) SendToChannel(channel, text string) *Call[struct{}] {
	if !validName(channel) || !fitting(text, textMaxChars) {
		return failedCall[struct{}](RequestInvalidArgument)
	}
	return tell(c, frame{"type": "send_to_channel", "channel": channel, "text": text})
}

// Members asks who is in a channel. The answer is sorted.
func (c *Client) Members(channel string) *Call[[]string] {
	if !validName(channel) {
		return failedCall[[]string](RequestInvalidArgument)
	}
	return with(c, func(m *machine) *Call[[]string] {
		return ask(m, frame{"type": "get_members", "channel": channel}, true, func(f *serverFrame) []string {
			slices.Sort(f.Members)
			return f.Members
		})
	})
}

// SetAttributes replaces the attributes of this user. While there is no connection the change is kept, and sent later.
func (c *Client) SetAttributes(attributes map[string]string) *Call[struct{}] {
	return with(c, func(m *machine) *Call[struct{}] { return m.setAttributes(attributes) })
}

// AddAttributes adds to the attributes of this user, or changes some of them, as SetAttributes.
func (c *Client) AddAttributes(attributes map[string]string) *Call[struct{}] {
	return with(c, func(m *machine) *Call[struct{}] { return m.addAttributes(attributes) })
}

// DeleteAttributes deletes attributes of this user, as SetAttributes.
func (c *Client) DeleteAttributes(keys []string) *Call[struct{}] {
	return with(c, func(m *machine) *Call[struct{}] { return m.deleteAttributes(keys) })
}

// Attributes asks for the attributes of a user. One who is not there has none.
func (c *Client) Attributes(uid string) *Call[map[string]string] {
	if !validName(uid) {
		return failedCall[map[string]string](RequestInvalidArgument)
	}
	return with(c, func(m *machine) *Call[map[string]string] {
		return ask(m, frame{"type": "get_attributes", "uid": uid}, true, func(f *serverFrame) map[string]string {
			return f.Attributes
		})
	})
}

// QueryOnline asks which of these users are online.
func (c *Client) QueryOnline(uids []string) *Call[map[string]bool] {
	if !validNames(uids) {
		return failedCall[map[string]bool](RequestInvalidArgument)
	}
	uids = append([]string{}, uids...)
	return with(c, func(m *machine) *Call[map[string]bool] {
		return ask(m, frame{"type": "query_online", "uids": uids}, true, func(f *serverFrame) map[string]bool {
			return f.Online
		})
	})
}

// Close logs out, without a callback, and frees everything. It waits for no callback, so it may be called inside one;
// none is begun after it. The client is of no use any more: every call fails.
func (c *Client) Close() {
	c.mu.Lock()
	if !c.machine.closed {
		close(c.calls.stop)
		c.machine.close()
		c.timer.Stop()
	}
	c.mu.Unlock()
	c.running.Wait()
}

func tell(c *Client, message frame) *Call[struct{}] {
	return with(c, func(m *machine) *Call[struct{}] {
		return ask(m, message, false, func(*serverFrame) struct{} { return struct{}{} })
	})
}

// with has the machine do something, and asks it afterwards when it wants to be woken.
func with[T any](c *Client, do func(m *machine) T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.machine.now = time.Now()
	result := do(c.machine)
	if next := c.machine.deadline(); next.IsZero() {
		c.timer.Stop()
	} else {
		c.timer.Reset(time.Until(next))
	}
	return result
}

func (c *Client) event(do func(m *machine)) {
	with(c, func(m *machine) struct{} {
		do(m)
		return struct{}{}
	})
}

// sockets is the client as its machine sees it. Its methods are called with the client's lock held.
type sockets Client

func (s *sockets) dial(id int) {
	connection := newSocket(id)
	s.sockets[id] = connection
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		connection.run(s.url, (*reports)(s))
	}()
}

func (s *sockets) send(id int, f frame) { s.sockets[id].send(f) }

func (s *sockets) drop(id int) { s.sockets[id].cancel() }

func (s *sockets) dropAfterBye(id int) { time.AfterFunc(byeTime, s.sockets[id].cancel) }

func (s *sockets) tell(callback func()) { s.calls.add(callback) }

func (s *sockets) rand() float64 { return mathrand.Float64() }

// reports is the client as its sockets see it. Its methods take the client's lock.
type reports Client

func (r *reports) opened(id int) { (*Client)(r).event(func(m *machine) { m.connectionOpened(id) }) }

func (r *reports) received(id int, f *serverFrame) {
	(*Client)(r).event(func(m *machine) { m.received(id, f) })
}

func (r *reports) closed(id int, cause error) {
	r.logger.Debug("a connection has ended", "number", id, "cause", cause)
	(*Client)(r).event(func(m *machine) { m.connectionClosed(id) })
	r.mu.Lock()
	delete(r.sockets, id)
	r.mu.Unlock()
}
