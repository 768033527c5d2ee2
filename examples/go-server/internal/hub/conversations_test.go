package hub

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/linkproof/rtmserver/internal/token"
)

// conversation is one of docs/vectors/conversations.json; of its steps a server meets those of its connections.
type conversation struct {
	Name       string  `json:"name"`
	HeartbeatS float64 `json:"heartbeat_s"`
	ByHand     bool    `json:"server_by_hand"`
	Sessions   []string
	Tokens     map[string]struct {
		AppID      string   `json:"app_id"`
		UID        string   `json:"uid"`
		ExpiresAtS *float64 `json:"expires_at_s"`
	}
	Steps []step
}

type step struct {
	AtS     float64         `json:"at_s"`
	Kind    string          `json:"kind"`
	On      string          `json:"on"`
	By      string          `json:"by"`
	Code    int             `json:"code"`
	Text    string          `json:"text"`
	Frame   json.RawMessage `json:"frame"`
	Arrives *bool           `json:"arrives"`
	AppID   string          `json:"app_id"`
	UID     string          `json:"uid"`
}

func (s step) text() string {
	if s.Text != "" {
		return s.Text
	}
	return string(s.Frame)
}

// player has a hub take part in a conversation.
type player struct {
	*rig
	told  conversation
	links map[string]*client
}

func (p *player) anew() {
	p.Hub = New(Config{Clock: p.clock, Tokens: p.tokens, HeartbeatS: p.told.HeartbeatS, NewName: func() string {
		name := p.told.Sessions[0]
		p.told.Sessions = p.told.Sessions[1:]
		return name
	}})
}

func (p *player) take(s step) {
	p.clock.until(time.Duration(s.AtS * float64(time.Second)))
	link := p.links[s.On]
	switch {
	case s.Kind == "opened":
		link := &fakeLink{}
		p.links[s.On] = &client{p.rig, link, p.Open(link)}
	case s.Kind == "restart":
		p.anew()
	case s.Kind == "ban":
		p.Ban(s.AppID, s.UID)
	case s.Kind == "server":
		p.said(s, func(said string) bool { return !strings.HasPrefix(said, "close") && p.isFrame(said, s) })
	case s.Kind == "close" && s.By == "server":
		p.said(s, func(said string) bool { return said == fmt.Sprintf("close %d", s.Code) })
	case link == nil || (s.Arrives != nil && !*s.Arrives):
		// The app's side of it, and what the server never learns of.
	case s.Kind == "client":
		p.Received(link.conn, []byte(s.text()))
	case s.Kind == "lost" || s.Kind == "close":
		p.Lost(link.conn)
	}
}

// said takes the next thing that was said on a connection, and holds it against a step.
func (p *player) said(s step, fits func(string) bool) {
	p.Helper()
	link := p.links[s.On]
	if len(link.said) == 0 {
		p.Fatalf("at %g s nothing was said on %s, expected %s %d", s.AtS, s.On, s.text(), s.Code)
	}
	said := link.said[0]
	link.said = link.said[1:]
	if !fits(said) {
		p.Errorf("at %g s on %s: %s, expected %s %d", s.AtS, s.On, said, s.text(), s.Code)
	}
}

// isFrame says whether what was said is the frame of a step; its 'why' is for people.
func (p *player) isFrame(said string, s step) bool {
	got, wanted := parsed(p.T, said), parsed(p.T, s.text())
	delete(got, "why")
	delete(wanted, "why")
	return same(got, wanted)
}

func TestTheConversationsOfThePage(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/vectors/conversations.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []conversation
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	played := 0
	for _, told := range all {
		if told.ByHand {
			continue // a wrong server, for clients
		}
		played++
		t.Run(told.Name, func(t *testing.T) {
			p := &player{newRig(t), told, map[string]*client{}}
			for name, whose := range told.Tokens {
				claims := token.Claims{AppID: whose.AppID, UID: whose.UID}
				if whose.ExpiresAtS != nil {
					expiresS := float64(start.Unix()) + *whose.ExpiresAtS
					claims.ExpiresS = &expiresS
				}
				p.tokens[name] = claims
			}
			p.anew()
			for _, each := range told.Steps {
				p.take(each)
			}
			for on, link := range p.links {
				if len(link.said) > 0 {
					t.Errorf("said on %s, and in no step: %v", on, link.said)
				}
			}
		})
	}
	if played == 0 {
		t.Error("there is no conversation")
	}
}
