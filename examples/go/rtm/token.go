package rtm

import "time"

// tokens are the token in use, and the one that is to take its place.
type tokens struct {
	current   string
	renewal   string    // given while there was no link, or on one that was lost: the next login shows whether it is good
	expiresAt time.Time // when the current one expires; zero for never, or not known
	expired   bool      // the app was told so
}

// next is what the next login uses.
func (t *tokens) next() string {
	if t.renewal != "" {
		return t.renewal
	}
	return t.current
}

// renewToken puts a new token in the place of the old one, as soon as the server has accepted it.
func (m *machine) renewToken(token string) RenewCode {
	switch {
	case !within(token, tokenMaxChars):
		return RenewInvalidArgument
	case !m.loggedIn():
		return RenewNotLoggedIn
	}
	if m.link == nil {
		m.token.tryNext(m, token)
		m.attempts.hurry(m)
		return RenewOK
	}
	m.submitRenewal(token)
	return RenewOK
}

func (m *machine) submitRenewal(token string) {
	m.requests.submit(m, &request{
		frame: frame{"type": "renew_token", "token": token},
		then: func(f *serverFrame, why failure) {
			switch why {
			case loggedOut:
			case interrupted:
				m.token.tryNext(m, token)
			case answered:
				m.token.adopt(token)
				m.token.lasts(m, token, f.TokenExpiresIn)
				m.renewed(token, why)
			default:
				m.renewed(token, why)
			}
		},
	})
}

func (m *machine) renewed(token string, why failure) {
	m.net.tell(func() { m.callbacks.OnRenewTokenResult(token, renewCode(why)) })
}

// tryNext keeps a token for the next login. One that was kept before has come to nothing.
func (t *tokens) tryNext(m *machine, token string) {
	if t.renewal != "" {
		m.renewed(t.renewal, interrupted)
	}
	t.renewal = token
}

// adopt makes a token the current one. Nothing is known of its expiry yet.
func (t *tokens) adopt(token string) {
	if token != t.current {
		t.current, t.expiresAt, t.expired = token, time.Time{}, false
	}
}

// lasts takes what the server says of a token's expiry.
func (t *tokens) lasts(m *machine, token string, seconds *float64) {
	if token == t.renewal {
		t.adopt(token)
	}
	if token == t.current && !t.expired && seconds != nil {
		t.expiresAt = m.now.Add(time.Duration(*seconds * float64(time.Second)))
	}
}

// loggedInWith says that a token has led to a login, and so is good. One that was given after that login was sent has
// still to be shown to the server.
func (t *tokens) loggedInWith(m *machine, token string) {
	renewal := t.renewal
	t.renewal = ""
	switch renewal {
	case "":
	case token:
		m.renewed(token, answered)
	default:
		m.submitRenewal(renewal)
	}
}

// refused says that a login was refused; it may be because of its token.
func (t *tokens) refused(m *machine, token string, why failure) {
	ofToken := why == invalidToken || why == tokenExpired || why == notAuthorized
	switch {
	case token == t.renewal && ofToken:
		t.renewal = ""
		m.renewed(token, why)
	case token == t.current && why == tokenExpired:
		t.tellExpired(m)
	}
}

func (t *tokens) tellExpired(m *machine) {
	if !t.expired {
		t.expired = true
		m.net.tell(func() { m.callbacks.OnTokenExpired() })
	}
}

func (t *tokens) tick(m *machine) {
	if m.due(t.deadline(m)) {
		t.tellExpired(m)
	}
}

func (t *tokens) deadline(m *machine) time.Time {
	if t.expired || !m.loggedIn() {
		return time.Time{}
	}
	return t.expiresAt
}
