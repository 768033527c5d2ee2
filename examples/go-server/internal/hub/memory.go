package hub

import "container/list"

// memory is a map that forgets the entry that was put there longest ago when it is full.
type memory[K comparable, V any] struct {
	most    int
	order   *list.List
	entries map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newMemory[K comparable, V any](most int) *memory[K, V] {
	return &memory[K, V]{most, list.New(), map[K]*list.Element{}}
}

func (m *memory[K, V]) get(key K) (V, bool) {
	if element, there := m.entries[key]; there {
		return element.Value.(entry[K, V]).value, true
	}
	return *new(V), false
}

func (m *memory[K, V]) put(key K, value V) {
	m.forget(key)
	m.entries[key] = m.order.PushBack(entry[K, V]{key, value})
	if len(m.entries) > m.most {
		m.forget(m.order.Front().Value.(entry[K, V]).key)
	}
}

func (m *memory[K, V]) forget(key K) {
	if element, there := m.entries[key]; there {
		m.order.Remove(element)
		delete(m.entries, key)
	}
}
