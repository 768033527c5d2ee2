package rtm

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// rig is a machine with a clock and a network that the test moves by hand. Nothing in it waits.
type rig struct {
	t       *testing.T
	m       *machine
	began   time.Time
	dialled []int           // numbers of the connections that were dialled, in order
	dropped map[int]bool    // those that were closed by the client
	sent    map[int][]frame // what was sent on each
	told    []string        // the callbacks
	inside  map[string]func()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dropped: map[int]bool{}, sent: map[int][]frame{}, inside: map[string]func(){}}
	r.began = time.Date(2019, 9, 25, 7, 12, 13, 0, time.UTC)
	note := func(format string, args ...any) { r.told = append(r.told, fmt.Sprintf(format, args...)) }
	r.m = newMachine(r, Callbacks{
		OnLoginSuccess: func() { note("login success") },
		OnLoginFailure: func(code LoginCode) { note("login failure %d", code) },
		OnLogout:       func(code LogoutCode) { note("logout %d", code) },
		OnConnectionStateChanged: func(state State, reason Reason) {
			note("%d/%d", state, reason)
			if act := r.inside[fmt.Sprintf("%d/%d", state, reason)]; act != nil {
				act()
			}
		},
		OnTokenExpired:            func() { note("token expired") },
		OnRenewTokenResult:        func(token string, code RenewCode) { note("renewed %s %d", token, code) },
		OnMessageReceivedFromPeer: func(peer, text string) { note("%s: %s", peer, text) },
		OnJoinSuccess:             func(channel string) { note("joined %s", channel) },
		OnJoinFailure:             func(channel string, code JoinCode) { note("not joined %s %d", channel, code) },
		OnLeave:                   func(channel string, code LeaveCode) { note("left %s %d", channel, code) },
	}, "app", "instance")
	r.m.now = r.began
	return r
}

func (r *rig) dial(id int)          { r.dialled = append(r.dialled, id) }
func (r *rig) send(id int, f frame) { r.sent[id] = append(r.sent[id], f) }
func (r *rig) drop(id int)          { r.dropped[id] = true }
func (r *rig) dropAfterBye(id int)  { r.dropped[id] = true }
func (r *rig) rand() float64        { return 0 } // the longest of all pauses
func (r *rig) tell(callback func()) { callback() }

// after lets time pass, and has the machine do what falls due on the way, each at its time.
func (r *rig) after(passed time.Duration) {
	r.t.Helper()
	until := r.m.now.Add(passed)
	for range 10000 {
		next := r.m.deadline()
		if next.IsZero() || next.After(until) {
			r.m.now = until
			return
		}
		if next.After(r.m.now) {
			r.m.now = next
		}
		r.m.tick()
	}
	r.t.Fatal("the machine asks to be woken without end")
}

// last is the connection that was dialled last.
func (r *rig) last() int { return r.dialled[len(r.dialled)-1] }

// server has a frame of the server arrive.
func (r *rig) server(id int, line string) {
	r.t.Helper()
	f, err := decode([]byte(line))
	if err != nil {
		r.t.Fatal(err)
	}
	r.m.received(id, f)
}

// online logs in, and returns the number of the connection.
func (r *rig) online() int {
	r.t.Helper()
	if code := r.m.login("token", "alice"); code != LoginOK {
		r.t.Fatalf("login: %v", code)
	}
	id := r.last()
	r.m.connectionOpened(id)
	r.server(id, `{"type":"logged_in","session":"S1","resumed":false,"heartbeat_s":0.5}`)
	r.answerPings(id)
	r.told = nil
	return id
}

// answerPings has the server answer the last heartbeat.
func (r *rig) answerPings(id int) {
	r.t.Helper()
	for i := len(r.sent[id]) - 1; i >= 0; i-- {
		if f := r.sent[id][i]; f["type"] == "ping" {
			r.server(id, fmt.Sprintf(`{"type":"pong","n":%d}`, f["n"]))
			return
		}
	}
	r.t.Fatal("there is no heartbeat to answer")
}

// answerLast answers the last frame of a type, by its id.
func (r *rig) answerLast(id int, kind, fields string) {
	r.t.Helper()
	f := r.lastSent(id, kind)
	if f == nil {
		r.t.Fatalf("no %s was sent on connection %d", kind, id)
	}
	r.server(id, fmt.Sprintf(`{"id":%d,%s}`, f["id"], fields))
}

func (r *rig) lastSent(id int, kind string) frame {
	for i := len(r.sent[id]) - 1; i >= 0; i-- {
		if r.sent[id][i]["type"] == kind {
			return r.sent[id][i]
		}
	}
	return nil
}

// open is which connections are neither dropped nor known to be closed.
func (r *rig) open() int { return len(r.m.attempts.open) }

// saw checks the callbacks since the last time that they were checked.
func (r *rig) saw(expected ...string) {
	r.t.Helper()
	if len(r.told) != len(expected) || len(expected) > 0 && !reflect.DeepEqual(r.told, expected) {
		r.t.Errorf("told %q, expected %q", r.told, expected)
	}
	r.told = nil
}
