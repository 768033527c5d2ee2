package rtm

import "time"

// The times of the profile rtm-1.0 (docs/spec.md).
const (
	loginTime        = 6 * time.Second // from the entry into CONNECTING
	interruptionTime = 4 * time.Second // from the loss to RECONNECTING
	requestTime      = 5 * time.Second // of a join, and of what is asked
	loginCallsMax    = 2               // so many login() calls are let through ...
	loginCallsTime   = time.Second     // ... within so long
)

// network is what the machine has done to its connections. None of it waits; what comes of it comes back as an event.
type network interface {
	dial(id int)          // open a connection; opened or closed comes back
	send(id int, f frame) // on a connection that was opened
	drop(id int)          // close it now; nothing comes back
	dropAfterBye(id int)  // close it when the server has, or soon
	tell(callback func()) // call the app back, after all that was told before
	rand() float64        // in [0, 1)
}

// machine is the client without its goroutines: it is told what happens and when, and says what is to be done.
//
// It is not safe for concurrent use. Each method is one event: the caller sets now before it, and has tick called at
// deadline after it. The files beside this one hold its parts: attempts, link, requests, channels, attributes, token.
type machine struct {
	net       network
	callbacks *Callbacks
	appID     string
	instance  string
	now       time.Time
	closed    bool // for good: no login is begun any more

	state      State
	loginCalls []time.Time // those of the last second that were let through

	// What belongs to one login, from its call until it is over.
	uid      string
	loginDue time.Time // while CONNECTING: when it has timed out
	session  string    // the server's name for what can be resumed; empty while CONNECTING

	attempts   attempts
	link       *connection // where the session lives; nil while it is known to be lost
	lostAt     time.Time   // while there is no link: since when
	requests   requests
	channels   map[string]*channel
	owedLeaves map[string]bool // left while the server could not be told; it may still count this user in
	attributes attributes
	token      tokens
}

func newMachine(net network, callbacks Callbacks, appID, instance string) *machine {
	m := &machine{net: net, callbacks: callbacks.filled(), appID: appID, instance: instance, state: Disconnected}
	m.attempts.open = map[int]*connection{}
	m.forget()
	return m
}

// forget ends all that belonged to the login that is over.
func (m *machine) forget() {
	m.requests.endAll()
	m.uid, m.session = "", ""
	m.link, m.loginDue, m.lostAt = nil, time.Time{}, time.Time{}
	m.channels, m.owedLeaves = map[string]*channel{}, map[string]bool{}
	m.attributes, m.token = attributes{copy: map[string]string{}}, tokens{}
	m.attempts.pause()
}

// switchTo is where the state changes, and so the only place that tells of it.
func (m *machine) switchTo(state State, reason Reason) {
	m.state = state
	m.net.tell(func() { m.callbacks.OnConnectionStateChanged(state, reason) })
}

// loggedIn says whether there is a session to speak of, whether its link is up or not.
func (m *machine) loggedIn() bool { return m.state == Connected || m.state == Reconnecting }

// login begins a login, or says why not. TOO_OFTEN comes before all else: it is about the calls, whatever they ask for.
func (m *machine) login(token, uid string) LoginCode {
	if m.closed {
		return LoginNotInitialized
	}
	recent := m.loginCalls[:0]
	for _, at := range m.loginCalls {
		if m.now.Sub(at) < loginCallsTime {
			recent = append(recent, at)
		}
	}
	m.loginCalls = recent
	if len(recent) >= loginCallsMax {
		return LoginTooOften
	}
	m.loginCalls = append(m.loginCalls, m.now)
	if !within(token, tokenMaxChars) || !validName(uid) {
		return LoginInvalidArgument
	}
	if m.state != Disconnected {
		return LoginAlreadyLoggedIn
	}
	m.uid, m.token.current = uid, token
	m.loginDue = m.now.Add(loginTime)
	m.switchTo(Connecting, ReasonLogin)
	m.attempts.start(m, true)
	return LoginOK
}

// loginFailed ends a login that is under way: its result, and right after it the switch.
func (m *machine) loginFailed(code LoginCode, reason Reason) {
	m.attempts.sayBye(m)
	m.forget()
	m.net.tell(func() { m.callbacks.OnLoginFailure(code) })
	m.switchTo(Disconnected, reason)
}

// logout ends the session, in whatever state it is: at once, and without waiting for the server.
func (m *machine) logout() LogoutCode {
	switch m.state {
	case Disconnected, Connecting:
		return LogoutNotLoggedIn
	case Connected, Reconnecting:
		m.attempts.sayBye(m)
	case Aborted: // the session is somebody else's now, and is left alone
	}
	m.forget()
	m.net.tell(func() { m.callbacks.OnLogout(LogoutOK) })
	m.switchTo(Disconnected, ReasonLogout)
	return LogoutOK
}

// close ends all there is, and tells nobody.
func (m *machine) close() {
	m.attempts.sayBye(m)
	m.forget()
	m.state, m.closed = Disconnected, true
}

// abort gives the session up for good, because the server said so.
func (m *machine) abort(why failure) {
	m.attempts.dropAll(m)
	m.forget()
	if why == banned {
		m.switchTo(Aborted, ReasonBannedByServer)
	} else {
		m.switchTo(Aborted, ReasonRemoteLogin)
	}
}

// connected is the end of every way in and every way back: c carries a session that the server will keep.
func (m *machine) connected(c *connection) {
	if m.link != nil { // the session has moved here
		m.attempts.dropOne(m, m.link)
		m.link = nil
		m.requests.linkLost()
	}
	m.link, m.lostAt = c, time.Time{}
	c.phase, c.liveAt = live, m.now
	m.attempts.settle(m, c)
	switch m.state {
	case Connecting:
		m.loginDue = time.Time{}
		m.net.tell(func() { m.callbacks.OnLoginSuccess() })
		m.switchTo(Connected, ReasonLoginSuccess)
	case Reconnecting:
		m.switchTo(Connected, ReasonLoginSuccess)
	case Connected: // back within the 4 s: nobody is told
	}
	for _, message := range c.held {
		m.net.tell(message)
	}
	c.held = nil
	m.token.loggedInWith(m, c.token)
	m.restoreChannels()
	for name := range m.owedLeaves {
		m.settleLeave(name)
	}
	m.restoreAttributes()
	m.requests.sendWaiting(m)
}

// tick does what is due now.
func (m *machine) tick() {
	if m.state == Connecting && m.due(m.loginDue) {
		m.loginFailed(LoginTimeout, ReasonLoginTimeout)
	}
	if m.state == Connected && m.due(m.interruptionDue()) {
		m.interrupt()
	}
	m.token.tick(m)
	m.heartbeats()
	m.attempts.tick(m)
	m.requests.tick(m)
}

// deadline is when tick is to be called next; zero for never.
func (m *machine) deadline() time.Time {
	var next earliest
	next.add(m.loginDue)
	next.add(m.interruptionDue())
	next.add(m.token.deadline(m))
	next.add(m.requests.deadline())
	m.attempts.deadlines(m, &next)
	return next.at
}

func (m *machine) due(at time.Time) bool { return !at.IsZero() && !m.now.Before(at) }

// earliest is the first of several times; a zero time is none.
type earliest struct{ at time.Time }

func (e *earliest) add(at time.Time) {
	if !at.IsZero() && (e.at.IsZero() || at.Before(e.at)) {
		e.at = at
	}
}
