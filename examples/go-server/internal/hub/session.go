package hub

import (
	"slices"
	"time"

	"example.com/linkproof/rtmserver/internal/wire"
)

// user is somebody of a tenant.
type user struct{ appID, uid string }

// tenant is all that belongs to one app id; users of two never meet.
type tenant struct {
	sessions map[string]*session // by uid
	channels map[string]*channel
}

// channel keeps its members in the order in which they joined.
type channel struct {
	name    string
	members []*session
}

// session is a user who is online. It outlives its connections for presence, once it is confirmed.
type session struct {
	user
	name       string
	instance   string
	attempt    int64
	tenant     *tenant
	conn       *Conn // nil while it is interrupted
	heard      time.Time
	presence   Timer
	confirmed  bool
	over       bool
	channels   []*channel // in the order of joining
	attributes map[string]string
}

// tell sends a frame to the user; while they are interrupted it is lost.
func (s *session) tell(frame []byte) {
	if s.conn != nil {
		s.conn.link.Send(frame)
	}
}

func (s *session) in(name string) *channel {
	for _, joined := range s.channels {
		if joined.name == name {
			return joined
		}
	}
	return nil
}

// tellOthers sends a frame to all members but one.
func (c *channel) tellOthers(but *session, frame []byte) {
	for _, member := range c.members {
		if member != but {
			member.tell(frame)
		}
	}
}

// enter puts a session into a channel and tells the others.
func (s *session) enter(name string) {
	joined := s.tenant.channels[name]
	if joined == nil {
		joined = &channel{name: name}
		s.tenant.channels[name] = joined
	}
	joined.members = append(joined.members, s)
	s.channels = append(s.channels, joined)
	joined.tellOthers(s, wire.Encode(wire.MemberJoined{Channel: name, UID: s.uid}))
}

// leave takes a session out of a channel and tells the others.
func (s *session) leave(left *channel) {
	left.members = slices.DeleteFunc(left.members, func(member *session) bool { return member == s })
	s.channels = slices.DeleteFunc(s.channels, func(joined *channel) bool { return joined == left })
	if len(left.members) == 0 {
		delete(s.tenant.channels, left.name)
	}
	left.tellOthers(s, wire.Encode(wire.MemberLeft{Channel: left.name, UID: s.uid}))
}
