package rtm

// channel is a channel that the app is in, or is on its way into.
type channel struct {
	joined  bool   // the app knows that it is in
	leaving bool   // the server was asked to let it go
	session string // the session that the server has it in
}

// join asks to join a channel. Without a link it waits for one, for as long as a join may take.
func (m *machine) join(name string) JoinCode {
	switch {
	case !validName(name):
		return JoinInvalidArgument
	case !m.loggedIn():
		return JoinNotLoggedIn
	case m.channels[name] != nil:
		return JoinAlreadyJoined
	case len(m.channels) >= channelsMax:
		return JoinExceedLimit
	}
	joining := &channel{}
	m.channels[name] = joining
	delete(m.owedLeaves, name) // the server may have it in still: so much the better
	question := &request{frame: frame{"type": "join", "channel": name}, repeatable: true, dueAt: m.now.Add(requestTime)}
	question.then = func(_ *serverFrame, why failure) {
		switch why {
		case loggedOut:
		case answered, alreadyJoined:
			joining.joined, joining.session = true, m.link.session
			m.net.tell(func() { m.callbacks.OnJoinSuccess(name) })
		default:
			delete(m.channels, name)
			m.net.tell(func() { m.callbacks.OnJoinFailure(name, joinCode(why)) })
			if why == timedOut && question.sent { // it may have been carried out all the same
				m.oweLeave(name)
			}
		}
	}
	m.requests.submit(m, question)
	return JoinOK
}

// leave asks to leave a channel. Without a link it is left at once, and the server is told when there is one again.
func (m *machine) leave(name string) LeaveCode {
	if !m.loggedIn() {
		return LeaveNotLoggedIn
	}
	leaving := m.channels[name]
	if leaving == nil || !leaving.joined || leaving.leaving {
		return LeaveNotInChannel
	}
	if m.link == nil {
		m.left(name)
		m.oweLeave(name)
		return LeaveOK
	}
	leaving.leaving = true
	m.requests.submit(m, &request{
		frame: frame{"type": "leave", "channel": name},
		then: func(_ *serverFrame, why failure) {
			switch why {
			case loggedOut:
			case answered, notInChannel:
				m.left(name)
			case interrupted:
				m.left(name)
				m.oweLeave(name)
			default:
				leaving.leaving = false
				m.net.tell(func() { m.callbacks.OnLeave(name, leaveCode(why)) })
			}
		},
	})
	return LeaveOK
}

func (m *machine) left(name string) {
	delete(m.channels, name)
	m.net.tell(func() { m.callbacks.OnLeave(name, LeaveOK) })
}

// oweLeave remembers that the server may count this user into a channel that the app is not in, and tells it.
func (m *machine) oweLeave(name string) {
	m.owedLeaves[name] = true
	if m.link != nil {
		m.settleLeave(name)
	}
}

// settleLeave tells the server of a channel that was left. Where the link is lost first, it is told on the next.
func (m *machine) settleLeave(name string) {
	m.requests.submit(m, &request{
		frame: frame{"type": "leave", "channel": name},
		then: func(_ *serverFrame, why failure) {
			if why != interrupted && why != loggedOut {
				delete(m.owedLeaves, name)
			}
		},
	})
}

// restoreChannels joins again those channels that the server does not have in this session. Nobody is told: the app
// never left them. Only where the server refuses one the app has to know.
func (m *machine) restoreChannels() {
	for name, lost := range m.channels {
		if !lost.joined || lost.session == m.link.session {
			continue
		}
		m.requests.submit(m, &request{
			frame: frame{"type": "join", "channel": name},
			then: func(_ *serverFrame, why failure) {
				switch why {
				case interrupted, loggedOut: // the next link will see to it
				case answered, alreadyJoined:
					lost.session = m.link.session
				default:
					if m.channels[name] == lost {
						delete(m.channels, name)
						m.net.tell(func() { m.callbacks.OnJoinFailure(name, joinCode(why)) })
					}
				}
			},
		})
	}
}
