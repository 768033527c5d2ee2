package rtm

import "maps"

// attributes is the client's own copy, which wins over the server's.
type attributes struct {
	copy    map[string]string
	session string // the session that the server has them in
	version int    // counts the changes
	known   int    // the last change that the server has
}

// change makes a request of a change. Without a link it is made here, and sent with the next one: that cannot fail any
// more, for the client's copy is what counts.
func (m *machine) change(question frame, apply func(attributes map[string]string)) *Call[struct{}] {
	if !m.loggedIn() {
		return failedCall[struct{}](RequestNotLoggedIn)
	}
	call := newCall[struct{}]()
	here := func(sent bool) {
		changed := maps.Clone(m.attributes.copy)
		apply(changed)
		upload := frame{"type": "set_attributes", "attributes": changed}
		if !validAttributes(changed) || !upload.fits() {
			call.finish(struct{}{}, RequestExceedLimit)
			return
		}
		upToDate := m.attributes.version == m.attributes.known
		m.attributes.copy = changed
		m.attributes.version++
		if sent && upToDate {
			m.attributes.known = m.attributes.version
		}
		call.finish(struct{}{}, RequestOK)
	}
	if m.link == nil {
		here(false)
		return call
	}
	if !question.fits() {
		call.finish(struct{}{}, RequestExceedLimit)
		return call
	}
	m.requests.submit(m, &request{frame: question, then: func(_ *serverFrame, why failure) {
		switch why {
		case answered:
			m.attributes.session = m.link.session
			here(true)
		case interrupted:
			here(false)
		default:
			call.finish(struct{}{}, requestCode(why))
		}
	}})
	return call
}

func (m *machine) setAttributes(given map[string]string) *Call[struct{}] {
	if !validAttributes(given) {
		return failedCall[struct{}](RequestInvalidArgument)
	}
	given = maps.Clone(given)
	if given == nil {
		given = map[string]string{}
	}
	return m.change(frame{"type": "set_attributes", "attributes": given}, func(attributes map[string]string) {
		clear(attributes)
		maps.Copy(attributes, given)
	})
}

func (m *machine) addAttributes(given map[string]string) *Call[struct{}] {
	if !validAttributes(given) {
		return failedCall[struct{}](RequestInvalidArgument)
	}
	given = maps.Clone(given)
	if given == nil {
		given = map[string]string{}
	}
	return m.change(frame{"type": "add_attributes", "attributes": given}, func(attributes map[string]string) {
		maps.Copy(attributes, given)
	})
}

func (m *machine) deleteAttributes(keys []string) *Call[struct{}] {
	if !validNames(keys) {
		return failedCall[struct{}](RequestInvalidArgument)
	}
	keys = append([]string{}, keys...)
	return m.change(frame{"type": "delete_attributes", "keys": keys}, func(attributes map[string]string) {
		for _, key := range keys {
			delete(attributes, key)
		}
	})
}

// restoreAttributes sends the copy where the server has none of it in this session, or an older one.
func (m *machine) restoreAttributes() {
	mine := &m.attributes
	lost := mine.session != m.link.session && len(mine.copy) > 0
	if !lost && mine.known == mine.version {
		return
	}
	version, session := mine.version, m.link.session
	m.requests.submit(m, &request{
		frame: frame{"type": "set_attributes", "attributes": maps.Clone(mine.copy)},
		then: func(_ *serverFrame, why failure) {
			if why == answered {
				mine.known, mine.session = max(mine.known, version), session
			}
		},
	})
}
