package ingest

import "testing"

func TestCacheIsBounded(t *testing.T) {
	c := newCache(100)
	has := func(key string) bool { _, ok := c.get(key); return ok }
	c.add("a", 1, 25)
	c.add("b", 2, 25)
	c.add("c", 3, 25)
	c.add("d", 4, 25)
	has("a") // used last
	c.add("e", 5, 20)
	if !has("a") || has("b") || !has("e") || c.bytes != 95 {
		t.Errorf("a %v, b %v, e %v, %d bytes; want the one not used for longest to go", has("a"), has("b"), has("e"), c.bytes)
	}
	c.add("large", 6, 26)
	if has("large") || !has("a") {
		t.Error("a value larger than a quarter of the limit is kept")
	}
	c.add("a", 7, 5)
	if v, _ := c.get("a"); v != 7 || c.bytes != 75 {
		t.Errorf("replaced: %v, %d bytes", v, c.bytes)
	}
	c.purge()
	if has("a") || c.bytes != 0 {
		t.Errorf("purged: %d bytes", c.bytes)
	}
}
