package rtm

import (
	"context"
	"sort"
	"time"
)

// Call is a call whose outcome comes later.
type Call[T any] struct {
	done  chan struct{}
	value T
	err   error
}

func newCall[T any]() *Call[T] { return &Call[T]{done: make(chan struct{})} }

// finish settles the call. It is called once.
func (c *Call[T]) finish(value T, code RequestCode) {
	c.value, c.err = value, orNil(code)
	close(c.done)
}

// Done is closed as soon as the outcome is there.
func (c *Call[T]) Done() <-chan struct{} { return c.done }

// Wait waits for the outcome, at most as long as the context lasts. The error is the context's, or a RequestCode.
func (c *Call[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// request is a question to the server, until it is answered or given up.
type request struct {
	id         int64
	frame      frame
	dueAt      time.Time // when it is given up; zero for as long as its link lasts
	repeatable bool      // to ask again on another connection does no harm
	sent       bool      // it was on the wire, once at least
	then       func(f *serverFrame, why failure)
}

// requests are those without an answer: sent on the link, or waiting for one.
type requests struct {
	lastID   int64
	inFlight map[int64]*request
	waiting  []*request
}

// submit sends a request, or has it wait for a link.
func (r *requests) submit(m *machine, question *request) {
	if m.link == nil {
		r.waiting = append(r.waiting, question)
		return
	}
	r.lastID++
	question.id, question.sent = r.lastID, true
	question.frame["id"] = question.id
	if r.inFlight == nil {
		r.inFlight = map[int64]*request{}
	}
	r.inFlight[question.id] = question
	m.net.send(m.link.id, question.frame)
}

func (r *requests) sendWaiting(m *machine) {
	waiting := r.waiting
	r.waiting = nil
	for _, question := range waiting {
		r.submit(m, question)
	}
}

// answer takes an answer. One that nobody waits for any more is nobody's.
func (r *requests) answer(m *machine, c *connection, f *serverFrame) {
	question := r.inFlight[f.ID]
	if question == nil || c != m.link {
		return
	}
	delete(r.inFlight, f.ID)
	why := answered
	if f.Type == "failed" {
		why = failure(f.Code)
	}
	question.then(f, why)
}

// linkLost takes back what was sent on the link that is no more: to ask again, or to give up.
func (r *requests) linkLost() {
	var again []*request
	for _, question := range r.takeInFlight() {
		if question.repeatable {
			again = append(again, question)
		} else {
			question.then(nil, interrupted)
		}
	}
	r.waiting = append(again, r.waiting...)
}

// endAll gives all of them up: the login that they belonged to is over.
func (r *requests) endAll() {
	all := append(r.takeInFlight(), r.waiting...)
	r.waiting = nil
	for _, question := range all {
		question.then(nil, loggedOut)
	}
}

func (r *requests) takeInFlight() []*request {
	taken := make([]*request, 0, len(r.inFlight))
	for _, question := range r.inFlight {
		taken = append(taken, question)
	}
	sort.Slice(taken, func(i, j int) bool { return taken[i].id < taken[j].id })
	r.inFlight = nil
	return taken
}

func (r *requests) tick(m *machine) {
	var late, waiting []*request
	for _, question := range r.waiting {
		if m.due(question.dueAt) {
			late = append(late, question)
		} else {
			waiting = append(waiting, question)
		}
	}
	r.waiting = waiting
	for id, question := range r.inFlight {
		if m.due(question.dueAt) {
			late = append(late, question)
			delete(r.inFlight, id)
		}
	}
	sort.SliceStable(late, func(i, j int) bool { return late[i].dueAt.Before(late[j].dueAt) })
	for _, question := range late {
		question.then(nil, timedOut)
	}
}

func (r *requests) deadline() time.Time {
	var next earliest
	for _, question := range r.waiting {
		next.add(question.dueAt)
	}
	for _, question := range r.inFlight {
		next.add(question.dueAt)
	}
	return next.at
}

// ask makes a request of a call. Answers to questions can be asked for again; messages are never sent twice.
func ask[T any](m *machine, question frame, repeatable bool, value func(f *serverFrame) T) *Call[T] {
	call := newCall[T]()
	var none T
	switch {
	case !m.loggedIn():
		call.finish(none, RequestNotLoggedIn)
	case !question.fits():
		call.finish(none, RequestExceedLimit)
	default:
		m.requests.submit(m, &request{
			frame: question, repeatable: repeatable, dueAt: m.now.Add(requestTime),
			then: func(f *serverFrame, why failure) {
				if why != answered {
					call.finish(none, requestCode(why))
				} else {
					call.finish(value(f), RequestOK)
				}
			},
		})
	}
	return call
}

// failedCall is a call that never got as far as a request.
func failedCall[T any](code RequestCode) *Call[T] {
	call := newCall[T]()
	var none T
	call.finish(none, code)
	return call
}
