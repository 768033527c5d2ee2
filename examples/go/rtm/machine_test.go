package rtm

import (
	"testing"
	"time"
)

const (
	ms             = time.Millisecond
	resumed        = `{"type":"logged_in","session":"S1","resumed":true,"heartbeat_s":0.5}`
	startedOver    = `{"type":"logged_in","session":"S2","resumed":false,"heartbeat_s":0.5}`
	isConnecting   = "2/1"
	isConnected    = "3/2"
	isInterrupted  = "4/5"
	isLoggedOut    = "1/6"
	isTakenOver    = "5/8"
	hasLoggedOutOK = "logout 0"
)

func TestANewSessionIsToldWhenItIsConfirmed(t *testing.T) {
	r := newRig(t)
	r.m.login("token", "alice")
	id := r.last()
	r.m.connectionOpened(id)
	r.server(id, `{"type":"logged_in","session":"S1","resumed":false,"heartbeat_s":0.5}`)
	r.server(id, `{"type":"peer_message","sender":"bob","text":"early"}`)
	r.saw(isConnecting)
	r.answerPings(id)
	r.saw("login success", isConnected, "bob: early")
}

func TestALoginTimesOutAfter6SWhateverIsRetried(t *testing.T) {
	r := newRig(t)
	r.m.login("token", "alice")
	r.after(5999 * ms)
	r.saw(isConnecting)
	if len(r.dialled) < 8 {
		t.Errorf("%d attempts in 6 s, although each of them hung", len(r.dialled))
	}
	r.after(1 * ms)
	r.saw("login failure 9", "1/4")
	r.after(time.Minute)
	if r.open() != 0 || len(r.dialled) > 11 {
		t.Errorf("%d connections are open, %d were dialled", r.open(), len(r.dialled))
	}
}

func TestALoginThatWasGrantedTooLateIsTakenBack(t *testing.T) {
	r := newRig(t)
	r.m.login("token", "alice")
	id := r.last()
	r.m.connectionOpened(id)
	r.after(5900 * ms)
	r.server(id, `{"type":"logged_in","session":"S1","resumed":false,"heartbeat_s":0.5}`)
	r.after(100 * ms)
	if r.lastSent(id, "logout") == nil || !r.dropped[id] {
		t.Error("the server may take this session for confirmed")
	}
}

func TestARefusedLoginFailsAtOnce(t *testing.T) {
	r := newRig(t)
	r.m.login("token", "alice")
	r.m.connectionOpened(r.last())
	r.server(r.last(), `{"type":"refused","code":"not_authorized","why":"it is bob's"}`)
	r.saw(isConnecting, "login failure 7", "1/3")
}

func TestAVisibleLossInterruptsAfter4S(t *testing.T) {
	r := newRig(t)
	r.m.connectionClosed(r.online())
	r.after(3999 * ms)
	r.saw()
	r.after(1 * ms)
	r.saw(isInterrupted)
}

func TestASilentLossCountsFromTheOldestHeartbeat(t *testing.T) {
	r := newRig(t)
	id := r.online()
	r.after(500*ms + 3999*ms) // the heartbeat at 0.5 s is the first without an answer
	r.saw()
	r.after(1 * ms)
	r.saw(isInterrupted)
	if !r.dropped[id] {
		t.Error("the silent link was kept: what it says later may be older than a takeover")
	}
}

func TestALossUnder4SIsToldToNobody(t *testing.T) {
	r := newRig(t)
	id := r.online()
	for range 20 {
		r.m.connectionClosed(id)
		r.after(1200 * ms)
		id = r.last()
		r.m.connectionOpened(id)
		r.server(id, resumed)
	}
	r.saw()
	if r.open() != 1 {
		t.Errorf("%d connections are open", r.open())
	}
}

func TestARetryStartsInTimeAlsoWhileOthersHang(t *testing.T) {
	r := newRig(t)
	r.m.connectionClosed(r.online())
	previous := r.m.now
	for range 40 {
		count := len(r.dialled)
		for len(r.dialled) == count {
			r.after(10 * ms)
		}
		if pause := r.m.now.Sub(previous); pause > RetryInterval {
			t.Fatalf("no attempt for %v", pause)
		}
		previous = r.m.now
	}
	if r.open() > openMax {
		t.Errorf("%d connections at once", r.open())
	}
}

func TestALinkThatClosesAfterEachLoginMakesNoStorm(t *testing.T) {
	r := newRig(t)
	r.m.connectionClosed(r.online())
	count := len(r.dialled)
	for end := r.m.now.Add(10 * time.Second); r.m.now.Before(end); r.after(10 * ms) {
		if id := r.last(); r.m.attempts.open[id] != nil {
			r.m.connectionOpened(id)
			r.server(id, resumed)
			r.m.connectionClosed(id)
		}
	}
	if tries := len(r.dialled) - count; tries < 8 || tries > 20 {
		t.Errorf("%d attempts in 10 s", tries)
	}
}

func TestTheFirstThatOpensLogsInAndTheNextWhenThatIsOverdue(t *testing.T) {
	r := newRig(t)
	r.m.login("token", "alice")
	r.after(1300 * ms)
	first, second, third := r.dialled[0], r.dialled[1], r.dialled[2]
	r.m.connectionOpened(second) // its dial took 0.8 s, so its login is overdue after 1.6 s
	r.m.connectionOpened(first)
	r.after(1590 * ms)
	r.m.connectionOpened(third)
	if r.lastSent(first, "login") != nil || r.lastSent(third, "login") != nil {
		t.Fatal("two logins at once: the one would retire the other")
	}
	r.after(10 * ms)
	if f := r.lastSent(third, "login"); f == nil || f["attempt"] != int64(2) {
		t.Fatalf("the youngest did not log in when the answer was overdue: %v", f)
	}
	r.server(third, `{"type":"logged_in","session":"S9","resumed":false,"heartbeat_s":0.5}`)
	r.answerPings(third)
	r.saw(isConnecting, "login success", isConnected)
	if r.open() != 1 {
		t.Errorf("%d connections are open", r.open())
	}
}

func TestALogoutWhileReconnectingIsFinal(t *testing.T) {
	r := newRig(t)
	r.m.connectionClosed(r.online())
	r.inside[isInterrupted] = func() { r.m.logout() }
	r.after(4 * time.Second)
	r.saw(isInterrupted, hasLoggedOutOK, isLoggedOut)
	count := len(r.dialled)
	r.after(time.Minute)
	if len(r.dialled) != count || r.open() != 0 {
		t.Error("an attempt has survived the logout")
	}
}

func TestATakeoverWhileAwayNeverGoesThroughConnected(t *testing.T) {
	r := newRig(t)
	r.m.connectionClosed(r.online())
	r.after(5 * time.Second)
	r.m.connectionOpened(r.last())
	if resume := r.lastSent(r.last(), "login")["resume"]; resume != "S1" {
		t.Errorf("resumes %v", resume)
	}
	r.server(r.last(), `{"type":"refused","code":"superseded"}`)
	r.after(time.Minute)
	r.saw(isInterrupted, isTakenOver)
	if code := r.m.login("token", "alice"); code != LoginAlreadyLoggedIn {
		t.Errorf("login while ABORTED: %v", code)
	}
	r.m.logout()
	r.saw(hasLoggedOutOK, isLoggedOut)
}

func TestAThirdLoginInASecondIsTooOften(t *testing.T) {
	r := newRig(t)
	codes := []LoginCode{r.m.login("", "alice"), r.m.login("token", "alice"), r.m.login("token", "alice")}
	if codes[0] != LoginInvalidArgument || codes[1] != LoginOK || codes[2] != LoginTooOften {
		t.Errorf("%v", codes)
	}
}
