package net

// span is the place of one tensor in a network's flat weights: [rows, cols],
// row-major from offset on.
type span struct {
	name       string
	offset     int
	rows, cols int
	bias       bool
}

func (s span) len() int { return s.rows * s.cols }

func (s span) of(w []float32) []float32 { return w[s.offset : s.offset+s.len() : s.offset+s.len()] }

// affine is a matrix and its bias.
type affine struct{ w, b span }

// attention are the matrices of queries, keys and values, and the slopes of the heads.
type attention struct{ q, k, v, slopes span }

// layout says where each tensor of a network lies. The trunk comes first, so that a
// compiled program copies it as one piece.
type layout struct {
	in     affine
	blocks []affine
	out    affine
	trunk  int // length of the trunk

	time, cond [2]affine // cond is unused without conditions
	// film are the matrices [2 Hidden, Emb or 2 Emb] of layers 0 … L: [At] or [At, Ac].
	film []span
	// attend are those of each block; none without attention. The block then takes
	// [h; what it attends to].
	attend []attention

	size int
	all  []span
}

func (l *layout) add(name string, rows, cols int, bias bool) span {
	s := span{name: name, offset: l.size, rows: rows, cols: cols, bias: bias}
	l.size += s.len()
	l.all = append(l.all, s)
	return s
}

func (l *layout) affine(name string, out, in int) affine {
	return affine{l.add(name+".w", out, in, false), l.add(name+".b", out, 1, true)}
}

// newLayout lays out the tensors of a configuration with defaults filled in.
func newLayout(c Config) *layout {
	l := &layout{}
	l.in = l.affine("in", c.Hidden, c.Dx)
	in := c.Hidden
	if c.Attention > 0 {
		in *= 2
	}
	for range c.blocks() {
		l.blocks = append(l.blocks, l.affine("block", c.Hidden, in))
	}
	l.out = l.affine("out", c.Dout, c.Hidden)
	l.trunk = l.size
	l.time = [2]affine{l.affine("time1", c.Emb, c.features()), l.affine("time2", c.Emb, c.Emb)}
	if c.Dc > 0 {
		l.cond = [2]affine{l.affine("cond1", c.Emb, c.Dc), l.affine("cond2", c.Emb, c.Emb)}
	}
	emb := c.Emb
	if c.Dc > 0 {
		emb *= 2
	}
	for range c.blocks() + 1 {
		l.film = append(l.film, l.add("film", 2*c.Hidden, emb, false))
	}
	if c.Attention > 0 {
		matrix := func(name string) span { return l.add(name, c.Hidden, c.Hidden, false) }
		for range c.blocks() {
			l.attend = append(l.attend, attention{
				matrix("queries"), matrix("keys"), matrix("values"), l.add("slopes", c.Attention, 1, true),
			})
		}
	}
	return l
}

// Matrices are the sizes [rows, cols] of the network's matrices, for counting its
// work: a case takes one multiplication and addition an element in the forward pass
// and twice that in the backward pass. The first trunk of them are evaluated for
// each member and step, the others once a case or a step.
func (c Config) Matrices() (sizes [][2]int, trunk int) {
	l := newLayout(c.withDefaults())
	for _, s := range l.all {
		if s.bias {
			continue
		}
		sizes = append(sizes, [2]int{s.rows, s.cols})
		if s.offset < l.trunk {
			trunk = len(sizes)
		}
	}
	return sizes, trunk
}
