package rtm

import (
	"context"
	"reflect"
	"testing"
	"time"
)

// away loses the link of an online client for so long, and returns the connection that comes through then.
func (r *rig) away(id int, lasts time.Duration) int {
	r.t.Helper()
	r.m.connectionClosed(id)
	r.after(lasts)
	r.m.connectionOpened(r.last())
	return r.last()
}

func (r *rig) joined(id int, channel string) {
	r.t.Helper()
	r.m.join(channel)
	r.answerLast(id, "join", `"type":"done"`)
	r.saw("joined " + channel)
}

func TestANewSessionIsToldChannelsAndAttributesAndNothingElse(t *testing.T) {
	r := newRig(t)
	id := r.online()
	r.joined(id, "red")
	r.joined(id, "green")
	set := r.m.setAttributes(map[string]string{"mood": "calm"})
	r.answerLast(id, "set_attributes", `"type":"done"`)
	if _, err := set.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.m.connectionClosed(id)
	r.m.leave("green")
	r.m.setAttributes(map[string]string{"mood": "cross"})
	r.after(5 * time.Second)
	r.saw("left green 0", isInterrupted)
	back := r.last()
	r.m.connectionOpened(back)
	r.server(back, startedOver)
	r.answerPings(back)
	r.saw(isConnected)
	if join := r.lastSent(back, "join"); join == nil || join["channel"] != "red" {
		t.Errorf("restored %v", join)
	}
	attributes := r.lastSent(back, "set_attributes")["attributes"]
	if !reflect.DeepEqual(attributes, map[string]string{"mood": "cross"}) {
		t.Errorf("sent %v", attributes)
	}
	r.answerLast(back, "join", `"type":"done"`)
	r.saw() // no onJoinSuccess: the app has never left
}

func TestAResumedSessionIsToldOnlyWhatHasChanged(t *testing.T) {
	r := newRig(t)
	id := r.online()
	r.joined(id, "red")
	r.joined(id, "green")
	r.m.connectionClosed(id)
	r.m.leave("green")
	r.after(5 * time.Second)
	r.m.connectionOpened(r.last())
	r.server(r.last(), resumed)
	r.saw("left green 0", isInterrupted, isConnected)
	if r.lastSent(r.last(), "join") != nil || r.lastSent(r.last(), "set_attributes") != nil {
		t.Errorf("sent %v", r.sent[r.last()])
	}
	if leave := r.lastSent(r.last(), "leave"); leave == nil || leave["channel"] != "green" {
		t.Errorf("the server was not told that green was left: %v", leave)
	}
}

func TestARestoreThatIsCutShortIsGoneOnWith(t *testing.T) {
	r := newRig(t)
	id := r.online()
	r.joined(id, "red")
	second := r.away(id, 5*time.Second)
	r.server(second, startedOver)
	r.answerPings(second)
	third := r.away(second, time.Second) // before the join was answered
	r.server(third, `{"type":"logged_in","session":"S2","resumed":true,"heartbeat_s":0.5}`)
	if join := r.lastSent(third, "join"); join == nil || join["channel"] != "red" {
		t.Error("the session goes on, but it has never been in red")
	}
}

func TestAJoinWhileAwayFailsAfter5SAndStaysSo(t *testing.T) {
	r := newRig(t)
	r.m.connectionClosed(r.online())
	r.after(4500 * ms)
	r.m.join("lobby")
	r.after(4999 * ms)
	r.saw(isInterrupted)
	r.after(1 * ms)
	r.saw("not joined lobby 4")
	r.m.connectionOpened(r.last())
	r.server(r.last(), resumed)
	if r.lastSent(r.last(), "join") != nil {
		t.Error("it was carried out after it had failed")
	}
}

func TestAMessageIsNotSentTwice(t *testing.T) {
	r := newRig(t)
	id := r.online()
	message := frame{"type": "send_to_peer", "peer": "bob", "text": "hi"}
	call := ask(r.m, message, false, func(*serverFrame) int { return 0 })
	back := r.away(id, time.Second)
	r.server(back, resumed)
	if _, err := call.Wait(context.Background()); err != RequestFailure {
		t.Errorf("%v", err)
	}
	if r.lastSent(back, "send_to_peer") != nil {
		t.Error("sent again")
	}
}

func TestAnExpiredTokenIsToldOnceAndARenewalIsTriedAtOnce(t *testing.T) {
	r := newRig(t)
	id := r.online()
	expiry := 3.0
	r.m.token.lasts(r.m, "token", &expiry)
	r.m.connectionClosed(id)
	r.after(5 * time.Second)
	r.saw("token expired", isInterrupted)
	r.m.connectionOpened(r.last())
	r.server(r.last(), `{"type":"refused","code":"token_expired"}`)
	r.saw()
	before := len(r.dialled)
	r.m.renewToken("fresh")
	if len(r.dialled) != before+1 {
		t.Fatal("no attempt at once")
	}
	r.m.connectionOpened(r.last())
	if token := r.lastSent(r.last(), "login")["token"]; token != "fresh" {
		t.Errorf("logged in with %v", token)
	}
	r.server(r.last(), resumed)
	r.saw(isConnected, "renewed fresh 0")
}

func TestARefusedRenewalLeavesTheOldTokenInUse(t *testing.T) {
	r := newRig(t)
	r.m.connectionClosed(r.online())
	r.m.renewToken("nonsense")
	r.m.connectionOpened(r.last())
	r.server(r.last(), `{"type":"refused","code":"invalid_token"}`)
	r.saw("renewed nonsense 6")
	r.after(time.Second)
	r.m.connectionOpened(r.last())
	if token := r.lastSent(r.last(), "login")["token"]; token != "token" {
		t.Errorf("logged in with %v", token)
	}
}

func TestARenewalDoesNotWaitForALoginWithTheOldToken(t *testing.T) {
	r := newRig(t)
	old := r.away(r.online(), 800*ms)
	r.m.renewToken("fresh")
	fresh := r.last()
	r.m.connectionOpened(fresh)
	if login := r.lastSent(fresh, "login"); login == nil || login["token"] != "fresh" {
		t.Errorf("sent %v", login)
	}
	r.server(old, `{"type":"refused","code":"token_expired"}`)
	r.server(fresh, resumed)
	r.saw("token expired", "renewed fresh 0")
}
