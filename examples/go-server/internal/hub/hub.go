// Package hub is the server without its sockets: who is logged in, in which channels, and what is said to whom.
//
// One mutex guards all of it. Nothing under it waits: what is sent is handed to a Link, which returns at once, and
// time comes from a Clock.
package hub

import (
	"sync"
	"time"

	"example.com/linkproof/rtmserver/internal/token"
	"example.com/linkproof/rtmserver/internal/wire"
)

// The times of the profile rtm-1.0 that are the server's.
const (
	presence = 30 * time.Second // an interrupted user is presumed online for so long
	confirm  = 6 * time.Second  // so long a new session may stay unconfirmed
	hurry    = 10 * time.Second // so long a connection may stay without a login
)

// Beyond these the server refuses.
const (
	channelsOfSession = 20
	membersOfChannel  = 2000
	attributesOfUser  = 32
	sessionsOfTenant  = 20000
	tenantsMax        = 10000
	connectionsMax    = 20000
	requestsPerS      = 200
	requestsAtOnce    = 400
	remembered        = 10000 // of what is over, so much is known
)

// Link is a connection as the hub sees it. Its methods return at once.
type Link interface {
	Send(frame []byte)
	Close(code int, reason string)
}

// Tokens knows whose a token is.
type Tokens interface {
	Verify(text string, now time.Time) (token.Claims, error)
}

// Config is what a hub is made with.
type Config struct {
	Clock      Clock
	Tokens     Tokens
	NewName    func() string // of a session; nobody may guess one
	HeartbeatS float64       // what clients are asked for
}

// Hub is the state of a server.
type Hub struct {
	Config

	mu       sync.Mutex
	conns    map[*Conn]struct{}
	tenants  map[string]*tenant
	banned   map[user]struct{}
	ended    *memory[string, string] // why a session, by its name, is over for good
	ranOut   *memory[user, *session] // the last session of a user, where it ended by silence
	attempts *memory[user, int]      // logins that reached the server
	stopping bool
}

// New returns a hub with nobody in it.
func New(config Config) *Hub {
	return &Hub{
		Config:   config,
		conns:    map[*Conn]struct{}{},
		tenants:  map[string]*tenant{},
		banned:   map[user]struct{}{},
		ended:    newMemory[string, string](remembered),
		ranOut:   newMemory[user, *session](remembered),
		attempts: newMemory[user, int](remembered),
	}
}

// Conn is a client's connection.
type Conn struct {
	link     Link
	session  *session // nil until the login is accepted
	deadline Timer    // of the login, then of the confirmation
	closing  bool     // what comes after that counts for nothing
	rate     bucket
}

// Open takes a new connection.
func (h *Hub) Open(link Link) *Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	conn := &Conn{link: link, rate: newBucket(h.Clock.Now())}
	switch {
	case h.stopping:
		h.close(conn, wire.CloseGoingAway, "the server stops")
	case len(h.conns) >= connectionsMax:
		h.close(conn, wire.CloseFull, "the server is full")
	default:
		h.conns[conn] = struct{}{}
		conn.deadline = h.after(hurry, func() {
			if conn.session == nil {
				h.close(conn, wire.ClosePolicy, "no login in time")
			}
		})
	}
	return conn
}

// Received takes a message of a client.
func (h *Hub) Received(conn *Conn, message []byte) {
	frame, err := wire.Decode(message)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case conn.closing:
	case err != nil:
		h.close(conn, wire.CloseNoFrame, "no frame of this protocol")
	case conn.session == nil:
		if login, is := frame.(wire.Login); is {
			h.login(conn, login)
		} else {
			h.close(conn, wire.ClosePolicy, "login is the first frame")
		}
	default:
		h.carryOut(conn, frame)
	}
}

// Unreadable takes what came in the place of a text message.
func (h *Hub) Unreadable(conn *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.close(conn, wire.CloseNoFrame, "no text message")
}

// Lost takes the end of a connection, by whomever.
func (h *Hub) Lost(conn *Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.detach(conn)
}

// Stop closes all connections, and those that are still to come.
func (h *Hub) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
	for conn := range h.conns {
		h.close(conn, wire.CloseGoingAway, "the server stops")
	}
}

// Ban ends a user's session for good, and refuses their logins from now on.
func (h *Hub) Ban(appID, uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	who := user{appID, uid}
	h.banned[who] = struct{}{}
	if there := h.sessionOf(who); there != nil {
		h.endForGood(there, wire.Banned, wire.Banned)
	}
}

// Unban lets a user log in again; the session that was ended stays so.
func (h *Hub) Unban(appID, uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.banned, user{appID, uid})
}

// Attempts returns how many logins of a user have reached the server, refused ones included.
func (h *Hub) Attempts(appID, uid string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	count, _ := h.attempts.get(user{appID, uid})
	return count
}

// ------------------------------------------------------------------------------ under the mutex

// after calls back under the mutex.
func (h *Hub) after(wait time.Duration, call func()) Timer {
	return h.Clock.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		call()
	})
}

func (h *Hub) sessionOf(who user) *session {
	if there := h.tenants[who.appID]; there != nil {
		return there.sessions[who.uid]
	}
	return nil
}

// close ends a connection. To its session that is an interruption, unless the session was ended before.
func (h *Hub) close(conn *Conn, code int, reason string) {
	if !conn.closing {
		conn.link.Close(code, reason)
		h.detach(conn)
	}
}

// detach forgets a connection that is over.
func (h *Hub) detach(conn *Conn) {
	conn.closing = true
	delete(h.conns, conn)
	if conn.deadline != nil {
		conn.deadline.Stop()
	}
	if there := conn.session; there != nil && there.conn == conn {
		there.conn = nil
		if !there.confirmed {
			h.end(there) // its client cannot know of it, and would leave a ghost
		}
	}
}

// end takes a session off the online list and out of its channels. Its connection, if any, is left to the caller.
func (h *Hub) end(gone *session) {
	if gone.over {
		return
	}
	gone.over = true
	gone.presence.Stop()
	for len(gone.channels) > 0 {
		gone.leave(gone.channels[0])
	}
	delete(gone.tenant.sessions, gone.uid)
	if len(gone.tenant.sessions) == 0 {
		delete(h.tenants, gone.appID)
	}
}

// endForGood ends a session that may not come back, and tells its client, where there is one.
func (h *Hub) endForGood(gone *session, reason, code string) {
	h.ended.put(gone.name, code)
	h.end(gone)
	gone.tell(wire.Encode(wire.Ended{Reason: reason}))
	if gone.conn != nil {
		h.close(gone.conn, wire.CloseNormal, reason)
	}
}

// watch ends a session when nothing was heard of it for the time of presence.
func (h *Hub) watch(watched *session, wait time.Duration) {
	watched.presence = h.after(wait, func() {
		if watched.over {
			return
		}
		if left := watched.heard.Add(presence).Sub(h.Clock.Now()); left > 0 {
			h.watch(watched, left)
			return
		}
		h.ranOut.put(watched.user, watched)
		h.end(watched)
		if watched.conn != nil {
			h.close(watched.conn, wire.ClosePolicy, "nothing heard for 30 s")
		}
	})
}
