package hub

import (
	"errors"
	"fmt"
	"regexp"

	"example.com/linkproof/rtmserver/internal/token"
	"example.com/linkproof/rtmserver/internal/wire"
)

var appID = regexp.MustCompile(`^[A-Za-z0-9._-]+$`) // its length is that of any name

const supersededWhy = "another instance has logged in with this uid since"

// login decides, in the order of the page, whether somebody comes in, and as whom.
func (h *Hub) login(conn *Conn, login wire.Login) {
	who := user{login.AppID, login.UID}
	count, _ := h.attempts.get(who)
	h.attempts.put(who, count+1)
	claims, code, why := h.admit(login)
	if code == "" {
		code, why = h.ending(login)
	}
	there := h.sessionOf(who)
	if code == "" && there != nil {
		code, why = overtaken(there, login)
	}
	if code == "" && there == nil {
		code, why = h.roomFor(who)
	}
	if code != "" {
		conn.link.Send(wire.Encode(wire.Refused{Code: code, Why: why}))
		h.close(conn, wire.ClosePolicy, code)
		return
	}
	h.supersede(who, login.Instance)
	if there != nil && login.Resume == there.name {
		h.resume(conn, there, login, claims)
		return
	}
	if there != nil {
		h.replace(there, login)
	}
	h.begin(conn, login, claims)
}

// admit looks at the app id, the token, whose it is, and whether the user is banned.
func (h *Hub) admit(login wire.Login) (claims token.Claims, code, why string) {
	if !appID.MatchString(login.AppID) {
		return claims, wire.InvalidAppID, "an app id is 1 to 64 of A-Z a-z 0-9 . _ -"
	}
	claims, code, why = h.claims(login.Token, user{login.AppID, login.UID})
	if _, banned := h.banned[user{login.AppID, login.UID}]; code == "" && banned {
		return claims, wire.Banned, "the system has banned this user"
	}
	return claims, code, why
}

// claims returns those of a token that is this user's.
func (h *Hub) claims(text string, who user) (claims token.Claims, code, why string) {
	claims, err := h.Tokens.Verify(text, h.Clock.Now())
	switch {
	case errors.Is(err, token.ErrExpired):
		return claims, wire.TokenExpired, ""
	case err != nil:
		return claims, wire.InvalidToken, ""
	case claims.AppID != who.appID || claims.UID != who.uid:
		return claims, wire.NotAuthorized, "the token is somebody else's"
	}
	return claims, "", ""
}

// ending says whether the session that is to be resumed was ended for good.
func (h *Hub) ending(login wire.Login) (code, why string) {
	if login.Resume == "" {
		return "", ""
	}
	if code, there := h.ended.get(login.Resume); there {
		if code == wire.Superseded {
			return code, supersededWhy
		}
		return code, "the system has ended this session"
	}
	return "", ""
}

// overtaken says whether a session that is there keeps a login out.
func overtaken(there *session, login wire.Login) (code, why string) {
	switch {
	case login.Instance == there.instance && login.Attempt < there.attempt:
		return wire.Stale, fmt.Sprintf("attempt %d came after attempt %d", login.Attempt, there.attempt)
	case login.Resume == "" || login.Resume == there.name || login.Instance == there.instance:
		return "", ""
	}
	return wire.Superseded, supersededWhy
}

func (h *Hub) roomFor(who user) (code, why string) {
	there := h.tenants[who.appID]
	switch {
	case there == nil && len(h.tenants) >= tenantsMax:
		return wire.Rejected, "there are too many app ids"
	case there != nil && len(there.sessions) >= sessionsOfTenant:
		return wire.Rejected, "too many users are online"
	}
	return "", ""
}

// supersede bars the way back to a session that ran out, where it is another instance that comes in now.
func (h *Hub) supersede(who user, instance string) {
	if last, there := h.ranOut.get(who); there {
		h.ranOut.forget(who)
		if last.instance != instance {
			h.ended.put(last.name, wire.Superseded)
		}
	}
}

// replace ends the session that is there: without a word where it is of the same instance, for good else.
func (h *Hub) replace(there *session, login wire.Login) {
	if there.instance != login.Instance {
		h.endForGood(there, wire.RemoteLogin, wire.Superseded)
		return
	}
	h.end(there)
	if there.conn != nil {
		h.close(there.conn, wire.CloseNormal, "this instance has logged in anew")
	}
}

// resume has a session go on, on this connection.
func (h *Hub) resume(conn *Conn, there *session, login wire.Login, claims token.Claims) {
	there.confirmed = true // who can name it has heard of it
	if there.conn != nil {
		h.close(there.conn, wire.CloseNormal, "the session goes on on another connection")
	}
	there.instance, there.attempt = login.Instance, login.Attempt
	h.attach(conn, there, claims, true)
}

// begin makes a new session; it has to be confirmed in time.
func (h *Hub) begin(conn *Conn, login wire.Login, claims token.Claims) {
	in := h.tenants[login.AppID]
	if in == nil {
		in = &tenant{map[string]*session{}, map[string]*channel{}}
		h.tenants[login.AppID] = in
	}
	made := &session{
		user: user{login.AppID, login.UID}, name: h.NewName(), instance: login.Instance, attempt: login.Attempt,
		tenant: in, attributes: map[string]string{},
	}
	in.sessions[made.uid] = made
	h.watch(made, presence)
	h.attach(conn, made, claims, false)
	conn.deadline = h.after(confirm, func() {
		if !made.confirmed {
			h.close(conn, wire.ClosePolicy, "not confirmed in time")
		}
	})
}

func (h *Hub) attach(conn *Conn, to *session, claims token.Claims, resumed bool) {
	now := h.Clock.Now()
	conn.deadline.Stop()
	conn.session, to.conn, to.heard = to, conn, now
	conn.link.Send(wire.Encode(wire.LoggedIn{
		Session: to.name, Resumed: resumed, HeartbeatS: h.HeartbeatS, TokenExpiresInS: claims.ExpiresInS(now),
	}))
}
