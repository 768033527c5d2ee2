package rtm

import (
	"sort"
	"time"
)

// How new connections are tried. The declared retry_s of the adapter, one second, is pauseMax and overdueMin together.
const (
	pauseMin    = 500 * time.Millisecond // from one attempt to the next, at first
	pauseMax    = 750 * time.Millisecond // and in the end
	pauseJitter = 0.2                    // by so much of it a pause may be shorter, so that clients do not come in step
	startJitter = 50 * time.Millisecond  // the same for the first attempt after a loss
	steadyTime  = 2 * time.Second        // a link that lasted so long was a good one: the pauses begin anew
	overdueMin  = 250 * time.Millisecond // so long an answer may always take, before another connection is asked too
	answerTime  = 10 * time.Second       // a login without an answer for so long is given up
	openMax     = 8                      // so many connections at once; the oldest that has come nowhere makes room
)

// attempts is the search for a connection that works. While it lasts, a new one is dialled after each pause, whether
// the earlier ones hang or not. The first that opens logs in. What opens later waits until that is overdue: each login
// of an instance takes the place of the one before.
type attempts struct {
	open    map[int]*connection // all that are not closed, the link among them
	lastID  int
	logins  int64     // how many were sent by this instance, ever
	dialDue time.Time // zero while nothing is searched for
	tries   int       // since the pauses began anew
}

// start begins the search, or lets it go on. A fresh one begins at once, and with short pauses.
func (a *attempts) start(m *machine, fresh bool) {
	if fresh {
		a.tries = 0
	}
	switch {
	case m.state == Connecting:
		a.dialDue = m.now
	case !a.dialDue.IsZero(): // it is under way
	case fresh:
		a.dialDue = m.now.Add(time.Duration(m.net.rand() * float64(startJitter)))
	default:
		a.dialDue = m.now.Add(a.nextPause(m))
	}
	a.tick(m)
}

// hurry has the next attempt made now: something has changed that may make it succeed.
func (a *attempts) hurry(m *machine) {
	if !a.dialDue.IsZero() {
		a.tries, a.dialDue = 0, m.now
		a.tick(m)
	}
}

func (a *attempts) pause() { a.dialDue = time.Time{} }

func (a *attempts) nextPause(m *machine) time.Duration {
	longest := min(pauseMin<<min(a.tries, 8), pauseMax)
	return time.Duration(float64(longest) * (1 - pauseJitter*m.net.rand()))
}

func (a *attempts) tick(m *machine) {
	if a.dialDue.IsZero() && m.state == Connected && m.due(m.suspectAt()) {
		a.tries, a.dialDue = 0, m.now
	}
	for _, c := range a.sorted() {
		if (c.phase == loggingIn || c.phase == confirming) && m.due(c.askedAt.Add(answerTime)) {
			a.dropOne(m, c)
		}
	}
	a.logInOnSpare(m)
	if m.due(a.dialDue) {
		a.makeRoom(m)
		a.lastID++
		a.open[a.lastID] = &connection{id: a.lastID, startedAt: m.now, askedAt: m.now}
		a.dialDue = m.now.Add(a.nextPause(m))
		a.tries++
		m.net.dial(a.lastID)
	}
}

func (a *attempts) deadlines(m *machine, next *earliest) {
	next.add(a.dialDue)
	if a.dialDue.IsZero() && m.state == Connected {
		next.add(m.suspectAt())
	}
	if asked := a.asked(m); asked != nil && a.spare() != nil {
		next.add(asked.overdueAt())
	}
	for _, c := range a.open {
		if c.phase >= confirming {
			next.add(c.pingDue)
		}
		if c.phase == loggingIn || c.phase == confirming {
			next.add(c.askedAt.Add(answerTime))
		}
	}
}

// connectionOpened takes a connection that is open: it logs in, or waits its turn. One that was dropped is nobody's.
func (m *machine) connectionOpened(id int) {
	c := m.attempts.open[id]
	if c == nil {
		return
	}
	c.phase, c.took, c.heardAt = opened, m.now.Sub(c.askedAt), m.now
	m.attempts.logInOnSpare(m)
}

// connectionClosed takes the end of a connection, for whatever reason it came.
func (m *machine) connectionClosed(id int) {
	c := m.attempts.open[id]
	if c == nil {
		return
	}
	delete(m.attempts.open, id)
	if c == m.link {
		m.lose(c, m.lossSeen(c))
	} else {
		m.attempts.logInOnSpare(m)
	}
}

// logInOnSpare logs in on the youngest connection that waits, unless an answer may still come on another.
func (a *attempts) logInOnSpare(m *machine) {
	c, asked := a.spare(), a.asked(m)
	if c == nil || asked != nil && !m.due(asked.overdueAt()) {
		return
	}
	a.logins++
	c.phase, c.attempt, c.askedAt, c.token = loggingIn, a.logins, m.now, m.token.next()
	login := frame{
		"type": "login", "app_id": m.appID, "uid": m.uid, "token": c.token, "instance": m.instance, "attempt": c.attempt,
	}
	if m.session != "" && m.state != Connecting {
		login["resume"] = m.session
	}
	m.net.send(c.id, login)
}

// asked is the connection whose login is the last that was sent and is without an answer. One with a token that has
// been renewed since is not worth waiting for.
func (a *attempts) asked(m *machine) *connection {
	var last *connection
	for _, c := range a.open {
		waiting := (c.phase == loggingIn || c.phase == confirming) && c.token == m.token.next()
		if waiting && (last == nil || c.attempt > last.attempt) {
			last = c
		}
	}
	return last
}

func (a *attempts) spare() *connection {
	var youngest *connection
	for _, c := range a.open {
		if c.phase == opened && (youngest == nil || c.id > youngest.id) {
			youngest = c
		}
	}
	return youngest
}

func (c *connection) overdueAt() time.Time { return c.askedAt.Add(max(overdueMin, 2*c.took)) }

// granted takes the acceptance of a login. A session that goes on is there at once; a new one is to be confirmed.
func (m *machine) granted(c *connection, f *serverFrame) {
	if c.phase != loggingIn {
		m.breach(c)
		return
	}
	c.took, c.askedAt = m.now.Sub(c.askedAt), m.now
	c.heartbeat = min(time.Duration(f.HeartbeatS*float64(time.Second)), heartbeatMax)
	c.phase, c.pingDue, c.session = confirming, m.now, f.Session
	m.session = f.Session
	for _, earlier := range m.attempts.sorted() {
		if earlier != m.link && earlier.phase >= loggingIn && earlier.attempt < c.attempt {
			m.attempts.dropOne(m, earlier) // its session is no more
		}
	}
	m.token.lasts(m, c.token, f.TokenExpiresIn)
	m.beat(c)
	if f.Resumed {
		m.connected(c)
	}
}

// refused takes the refusal of a login. Only while CONNECTING it ends the trying, whatever its cause.
func (m *machine) refused(c *connection, why failure) {
	if c.phase != loggingIn {
		m.breach(c)
		return
	}
	m.attempts.dropOne(m, c)
	switch {
	case why == stale: // a later login of this very client is in: it goes on there
		m.attempts.logInOnSpare(m)
	case m.state == Connecting:
		m.loginFailed(loginCode(why), ReasonLoginFailure)
	case why == superseded || why == banned:
		m.abort(why)
	default:
		m.token.refused(m, c.token, why)
		if c.token == m.token.next() {
			m.attempts.dropSpares(m) // the next answer would be the same: not before the pause is over
		} else {
			m.attempts.logInOnSpare(m)
		}
	}
}

// settle ends the search: c carries the session. Only a later login may still move it, where one is on its way.
func (a *attempts) settle(m *machine, c *connection) {
	a.pause()
	for _, other := range a.sorted() {
		if other != c && other.attempt <= c.attempt {
			a.dropOne(m, other)
		}
	}
}

// sayBye ends all connections, and with them every session that one of them may have begun.
func (a *attempts) sayBye(m *machine) {
	for _, c := range a.sorted() {
		if c.phase >= loggingIn {
			m.net.send(c.id, frame{"type": "logout"})
			m.net.dropAfterBye(c.id)
			delete(a.open, c.id)
		} else {
			a.dropOne(m, c)
		}
	}
}

func (a *attempts) dropAll(m *machine) {
	for _, c := range a.sorted() {
		a.dropOne(m, c)
	}
}

func (a *attempts) dropSpares(m *machine) {
	for _, c := range a.sorted() {
		if c.phase == opened {
			a.dropOne(m, c)
		}
	}
}

// makeRoom drops the oldest connection that has come nowhere, where there are too many of them.
func (a *attempts) makeRoom(m *machine) {
	var idle []*connection
	for _, c := range a.sorted() {
		if c.phase < loggingIn {
			idle = append(idle, c)
		}
	}
	if len(idle) >= openMax {
		a.dropOne(m, idle[0])
	}
}

func (a *attempts) dropOne(m *machine, c *connection) {
	if _, there := a.open[c.id]; there {
		delete(a.open, c.id)
		m.net.drop(c.id)
	}
}

// sorted is a copy, the oldest first: what is done to connections is done in the same order each time.
func (a *attempts) sorted() []*connection {
	all := make([]*connection, 0, len(a.open))
	for _, c := range a.open {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	return all
}
