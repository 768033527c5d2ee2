package hub

import (
	"maps"
	"slices"

	"example.com/linkproof/rtmserver/internal/wire"
)

// carryOut takes a frame of somebody who is logged in.
func (h *Hub) carryOut(conn *Conn, frame wire.ClientFrame) {
	from := conn.session
	if _, again := frame.(wire.Login); again {
		h.close(conn, wire.ClosePolicy, "a second login")
		return
	}
	from.heard = h.Clock.Now()
	from.confirmed = true
	switch frame := frame.(type) {
	case wire.Ping:
		conn.link.Send(wire.Encode(wire.Pong{N: frame.N}))
	case wire.Logout:
		h.end(from)
		h.close(conn, wire.CloseNormal, "logged out")
	case wire.Request:
		answer := wire.ServerFrame(failed(frame, wire.TooOften, ""))
		if conn.rate.take(from.heard) {
			answer = h.answer(from, frame)
		}
		message := wire.Encode(answer)
		if len(message) > wire.FrameMaxBytes {
			message = wire.Encode(failed(frame, wire.ExceedLimit, "the answer does not fit into a frame"))
		}
		conn.link.Send(message)
	}
}

func (h *Hub) answer(from *session, request wire.Request) wire.ServerFrame {
	id := wire.ID{ID: request.RequestID()}
	switch asked := request.(type) {
	case wire.RenewToken:
		claims, code, why := h.claims(asked.Token, from.user)
		if code != "" {
			return failed(request, code, why)
		}
		return wire.Done{ID: id, TokenExpiresInS: claims.ExpiresInS(h.Clock.Now())}
	case wire.Join:
		return join(from, asked)
	case wire.Leave:
		left := from.in(asked.Channel)
		if left == nil {
			return failed(request, wire.NotInChannel, "")
		}
		from.leave(left)
	case wire.SendToPeer:
		return sendToPeer(from, asked)
	case wire.SendToChannel:
		return sendToChannel(from, asked)
	case wire.GetMembers:
		return wire.Members{ID: id, Members: members(from.tenant, asked.Channel)}
	case wire.SetAttributes:
		return setAttributes(from, asked, asked.Attributes)
	case wire.AddAttributes:
		all := maps.Clone(from.attributes)
		maps.Copy(all, asked.Attributes)
		return setAttributes(from, asked, all)
	case wire.DeleteAttributes:
		for _, key := range asked.Keys {
			delete(from.attributes, key)
		}
	case wire.GetAttributes:
		attributes := map[string]string{}
		if there := from.tenant.sessions[asked.UID]; there != nil {
			attributes = there.attributes
		}
		return wire.Attributes{ID: id, Attributes: attributes}
	case wire.QueryOnline:
		online := make(map[string]bool, len(asked.UIDs))
		for _, uid := range asked.UIDs {
			online[uid] = from.tenant.sessions[uid] != nil
		}
		return wire.Online{ID: id, Online: online}
	}
	return wire.Done{ID: id}
}

func join(from *session, asked wire.Join) wire.ServerFrame {
	there := from.tenant.channels[asked.Channel]
	switch {
	case from.in(asked.Channel) != nil:
		return failed(asked, wire.AlreadyJoined, "")
	case len(from.channels) >= channelsOfSession:
		return failed(asked, wire.ExceedLimit, "the user is in too many channels")
	case there != nil && len(there.members) >= membersOfChannel:
		return failed(asked, wire.ExceedLimit, "too many are in the channel")
	}
	from.enter(asked.Channel)
	return wire.Done{ID: asked.ID}
}

func sendToPeer(from *session, asked wire.SendToPeer) wire.ServerFrame {
	peer := from.tenant.sessions[asked.Peer]
	if peer == nil {
		return failed(asked, wire.Rejected, asked.Peer+" is not online")
	}
	message := wire.Encode(wire.PeerMessage{Sender: from.uid, Text: asked.Text})
	if len(message) > wire.FrameMaxBytes {
		return failed(asked, wire.ExceedLimit, "the message does not fit into a frame")
	}
	peer.tell(message)
	return wire.Done{ID: asked.ID}
}

func sendToChannel(from *session, asked wire.SendToChannel) wire.ServerFrame {
	in := from.in(asked.Channel)
	if in == nil {
		return failed(asked, wire.NotInChannel, "")
	}
	message := wire.Encode(wire.ChannelMessage{Channel: in.name, Sender: from.uid, Text: asked.Text})
	if len(message) > wire.FrameMaxBytes {
		return failed(asked, wire.ExceedLimit, "the message does not fit into a frame")
	}
	in.tellOthers(from, message)
	return wire.Done{ID: asked.ID}
}

func members(of *tenant, name string) []string {
	uids := []string{}
	if there := of.channels[name]; there != nil {
		for _, member := range there.members {
			uids = append(uids, member.uid)
		}
	}
	slices.Sort(uids)
	return uids
}

// setAttributes puts these in the place of all, where they can be told to whoever asks for them.
func setAttributes(from *session, asked wire.Request, all map[string]string) wire.ServerFrame {
	widest := wire.Encode(wire.Attributes{ID: wire.ID{ID: wire.CountMax}, Attributes: all})
	if len(all) > attributesOfUser || len(widest) > wire.FrameMaxBytes {
		return failed(asked, wire.ExceedLimit, "too many attributes")
	}
	from.attributes = all
	return wire.Done{ID: wire.ID{ID: asked.RequestID()}}
}

func failed(request wire.Request, code, why string) wire.Failed {
	return wire.Failed{ID: wire.ID{ID: request.RequestID()}, Code: code, Why: why}
}
