package rtm

import "time"

// heartbeatMax is the longest time between two heartbeats, even if the server would be content with fewer.
const heartbeatMax = 500 * time.Millisecond

// phase is how far a connection has come.
type phase int

const (
	dialling   phase = iota
	opened           // and not logged in: it waits until it is needed
	loggingIn        // the login was sent
	confirming       // a new session was granted; the first heartbeat is to confirm it
	live             // it carries the session, or did
)

// connection is one connection, from the beginning of its dial.
type connection struct {
	id      int
	phase   phase
	attempt int64  // which login of this instance it sent
	token   string // what it logged in with
	session string // what it was granted

	startedAt time.Time
	askedAt   time.Time     // when what is unanswered was asked: the dial, the login, the confirmation
	took      time.Duration // how long the last answer took
	liveAt    time.Time

	heartbeat time.Duration
	pings     []ping // those without an answer, the oldest first
	pinged    int64
	pingDue   time.Time
	heardAt   time.Time

	held []func() // messages that came before the session was confirmed
}

type ping struct {
	n  int64
	at time.Time
}

// beat sends a heartbeat. They keep to their schedule however late one of them was.
func (m *machine) beat(c *connection) {
	c.pinged++
	c.pings = append(c.pings, ping{c.pinged, m.now})
	c.pingDue = c.pingDue.Add(c.heartbeat)
	if !c.pingDue.After(m.now) {
		c.pingDue = m.now.Add(c.heartbeat)
	}
	m.net.send(c.id, frame{"type": "ping", "n": c.pinged})
}

func (m *machine) heartbeats() {
	for _, c := range m.attempts.sorted() {
		if c.phase >= confirming && m.due(c.pingDue) {
			m.beat(c)
		}
	}
}

// pong takes the answer to a heartbeat: it answers all older ones too.
func (m *machine) pong(c *connection, n int64) {
	for len(c.pings) > 0 && c.pings[0].n <= n {
		c.took = m.now.Sub(c.pings[0].at)
		c.pings = c.pings[1:]
	}
	if c.phase == confirming {
		m.connected(c)
	} else if c == m.link && !m.due(m.suspectAt()) {
		m.attempts.settle(m, c) // the old connection was quicker than a new one
	}
}

// suspectAt is when the link is taken for lost so far that other ways are tried, though nobody has told so.
func (m *machine) suspectAt() time.Time {
	if m.link == nil || len(m.link.pings) == 0 {
		return time.Time{}
	}
	return m.link.pings[0].at.Add(max(m.link.heartbeat, 2*m.link.took))
}

// interruptionDue is when the app is to be told of the loss, as far as there is one.
func (m *machine) interruptionDue() time.Time {
	switch {
	case m.state != Connected:
		return time.Time{}
	case m.link == nil:
		return m.lostAt.Add(interruptionTime)
	case len(m.link.pings) > 0:
		return m.link.pings[0].at.Add(interruptionTime)
	}
	return time.Time{}
}

// interrupt gives up the link if it was a silent one, and goes on by new connections alone: what an old one has still
// to say may be older than a takeover.
func (m *machine) interrupt() {
	m.switchTo(Reconnecting, ReasonInterrupted)
	if m.link != nil {
		m.lose(m.link, m.link.pings[0].at)
	}
}

// lose ends the link: what was sent on it and not answered is in doubt.
func (m *machine) lose(c *connection, at time.Time) {
	m.attempts.dropOne(m, c)
	m.link, m.lostAt = nil, at
	m.requests.linkLost()
	m.attempts.start(m, m.now.Sub(c.liveAt) >= steadyTime)
}

// lossSeen is when a link was lost that has just been seen to close: now, unless it had gone silent before.
func (m *machine) lossSeen(c *connection) time.Time {
	if len(c.pings) > 0 {
		oldest := c.pings[0].at
		if m.now.Sub(oldest) > c.heartbeat && c.heardAt.Before(oldest) {
			return oldest
		}
	}
	return m.now
}

// received takes a frame of the server. One that has no place here ends the connection that it came on.
func (m *machine) received(id int, f *serverFrame) {
	c := m.attempts.open[id]
	if c == nil {
		return
	}
	c.heardAt = m.now
	switch f.Type {
	case "logged_in":
		m.granted(c, f)
	case "refused":
		m.refused(c, failure(f.Code))
	case "pong":
		m.pong(c, f.N)
	case "ended":
		m.ended(c, f.Reason)
	case "peer_message":
		m.deliver(c, func() { m.callbacks.OnMessageReceivedFromPeer(f.Sender, f.Text) })
	case "member_joined":
		m.inChannel(c, f.Channel, func() { m.callbacks.OnMemberJoined(f.Channel, f.UID) })
	case "member_left":
		m.inChannel(c, f.Channel, func() { m.callbacks.OnMemberLeft(f.Channel, f.UID) })
	case "channel_message":
		m.inChannel(c, f.Channel, func() { m.callbacks.OnMessageReceived(f.Channel, f.Sender, f.Text) })
	default:
		m.requests.answer(m, c, f)
	}
}

// ended takes the end of the session for good.
func (m *machine) ended(c *connection, reason string) {
	why := superseded
	if reason == "banned" {
		why = banned
	}
	if m.state == Connecting {
		m.attempts.dropOne(m, c)
		m.loginFailed(loginCode(why), ReasonLoginFailure)
	} else {
		m.abort(why)
	}
}

// deliver passes a message on, as soon as the app knows that it is logged in.
func (m *machine) deliver(c *connection, callback func()) {
	switch {
	case c == m.link:
		m.net.tell(callback)
	case c.phase == confirming:
		c.held = append(c.held, callback)
	}
}

func (m *machine) inChannel(c *connection, name string, callback func()) {
	if channel := m.channels[name]; c == m.link && channel != nil && channel.joined {
		m.net.tell(callback)
	}
}

// breach gives up a connection on which something came that cannot be.
func (m *machine) breach(c *connection) {
	m.net.drop(c.id)
	m.connectionClosed(c.id)
}
