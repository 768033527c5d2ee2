package hub

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"example.com/linkproof/rtmserver/internal/token"
)

// fakeClock stands still until it is told the time; then it calls back in the order of what is due.
type fakeClock struct {
	now    time.Time
	timers []*fakeTimer
}

type fakeTimer struct {
	due     time.Time
	call    func()
	stopped bool
}

func (t *fakeTimer) Stop() bool {
	was := !t.stopped
	t.stopped = true
	return was
}

var start = time.Unix(1_000_000, 0)

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) AfterFunc(after time.Duration, call func()) Timer {
	timer := &fakeTimer{due: c.now.Add(after), call: call}
	c.timers = append(c.timers, timer)
	return timer
}

// until lets time pass until so long after the start.
func (c *fakeClock) until(at time.Duration) {
	then := start.Add(at)
	for {
		c.timers = slices.DeleteFunc(c.timers, func(each *fakeTimer) bool { return each.stopped })
		if len(c.timers) == 0 {
			break
		}
		next := slices.MinFunc(c.timers, func(a, b *fakeTimer) int { return a.due.Compare(b.due) })
		if next.due.After(then) {
			break
		}
		c.now = next.due
		next.stopped = true
		next.call()
	}
	c.now = then
}

// fakeTokens are texts that everybody can read.
type fakeTokens map[string]token.Claims

func (f fakeTokens) Verify(text string, now time.Time) (token.Claims, error) {
	claims, there := f[text]
	if !there {
		return claims, token.ErrInvalid
	}
	if left := claims.ExpiresInS(now); left != nil && *left <= 0 {
		return claims, token.ErrExpired
	}
	return claims, nil
}

// fakeLink keeps what the hub says to a client.
type fakeLink struct{ said []string }

func (l *fakeLink) Send(frame []byte)        { l.said = append(l.said, string(frame)) }
func (l *fakeLink) Close(code int, _ string) { l.said = append(l.said, fmt.Sprintf("close %d", code)) }

// heard returns what was said since it was asked last.
func (l *fakeLink) heard() []string {
	said := l.said
	l.said = nil
	return said
}

// rig is a hub with a clock, tokens named after their users, and clients.
type rig struct {
	*testing.T
	*Hub
	clock  *fakeClock
	tokens fakeTokens
	names  int
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, clock: &fakeClock{now: start}, tokens: fakeTokens{}}
	r.Hub = New(Config{Clock: r.clock, Tokens: r.tokens, HeartbeatS: 0.5, NewName: func() string {
		r.names++
		return fmt.Sprintf("s%d", r.names)
	}})
	return r
}

// client is a connection of a user.
type client struct {
	*rig
	*fakeLink
	conn *Conn
}

func (r *rig) connect() *client {
	link := &fakeLink{}
	return &client{r, link, r.Open(link)}
}

func (c *client) say(text string, args ...any) {
	c.Received(c.conn, []byte(fmt.Sprintf(text, args...)))
}

func (c *client) login(appID, uid, instance string, attempt int, resume string) {
	c.tokens[uid] = token.Claims{AppID: appID, UID: uid}
	if resume != "" {
		resume = fmt.Sprintf(`, "resume": %q`, resume)
	}
	c.say(`{"type": "login", "app_id": %q, "uid": %q, "token": %q, "instance": %q, "attempt": %d%s}`,
		appID, uid, uid, instance, attempt, resume)
}

// online returns a client of this user whose session is confirmed.
func (r *rig) online(uid string) *client {
	c := r.connect()
	c.login("demo", uid, "instance of "+uid, 1, "")
	c.say(`{"type": "ping", "n": 1}`)
	if said := c.heard(); len(said) != 2 {
		r.Fatalf("%s is not in: %v", uid, said)
	}
	return c
}

// expect holds what a client has heard against what it was to hear, and nothing else.
func (c *client) expect(wanted ...string) {
	c.Helper()
	if said := c.heard(); !slices.Equal(said, wanted) {
		c.Errorf("at %v heard\n %q, expected\n %q", c.clock.now.Sub(start), said, wanted)
	}
}

// same says whether two JSON values are, but for the last digits of their numbers.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, is := b.(float64)
		return is && math.Abs(a-b) < 1e-6
	case map[string]any:
		b, is := b.(map[string]any)
		if !is || len(a) != len(b) {
			return false
		}
		for key := range a {
			if _, there := b[key]; !there || !same(a[key], b[key]) {
				return false
			}
		}
		return true
	case []any:
		b, is := b.([]any)
		return is && slices.EqualFunc(a, b, same)
	}
	return a == b
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}
