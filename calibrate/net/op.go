package net

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// op is a fused operator of the expression graph: what Gorgonia needs to know to
// place it, to check types and shapes and to differentiate it, and the kernel call
// that computes it. Two ops with the same inputs and equal names must be the same.
type op struct {
	name   string
	inputs []tensor.Shape
	output tensor.Shape // nil: a scalar
	// run writes dst. The leading dimension of activations is ld, n lanes count;
	// with accumulate the result is added to dst, which only gradients of weights can.
	run func(k kernels, dst []float32, in [][]float32, ld, n int, accumulate bool)
	// gradient returns the gradients with respect to the inputs; where nil is in
	// its place the op is not differentiable with respect to that input.
	gradient func(in gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error)
	wrt      []bool // nil: every input when there is a gradient

	// pair lets two ops with equal inputs run as one: both have the same non-nil
	// pair and differ in slot. It writes the results of slots 0 and 1, which may be nil.
	pair *pair
	slot int

	kernels kernels // for Gorgonia's own machines
}

type pair struct {
	name string
	run  func(k kernels, dst0, dst1 []float32, in [][]float32, ld, n int)
}

// The interfaces of Gorgonia that op is used through.
var (
	_ gorgonia.SDOp            = (*op)(nil)
	_ gorgonia.UsePreallocDoer = (*op)(nil)
)

func (o *op) Arity() int { return len(o.inputs) }

func (o *op) Type() hm.Type {
	ts := make([]hm.Type, 0, len(o.inputs)+1)
	for _, s := range append(o.inputs[:len(o.inputs):len(o.inputs)], o.output) {
		if len(s) == 0 {
			ts = append(ts, tensor.Float32)
		} else {
			ts = append(ts, gorgonia.TensorType{Dims: len(s), Of: tensor.Float32})
		}
	}
	return hm.NewFnType(ts...)
}

// InferShape checks the inputs' shapes against those the op was made for.
func (o *op) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	for i, want := range o.inputs {
		got, ok := in[i].(tensor.Shape)
		if !ok || !got.Eq(want) {
			return nil, fmt.Errorf("operator %s: input %d has shape %v, want %v", o.name, i, in[i], want)
		}
	}
	if o.output == nil {
		return tensor.ScalarShape(), nil
	}
	return o.output.Clone(), nil
}

func (o *op) DiffWRT(inputs int) []bool {
	if o.wrt != nil {
		return o.wrt
	}
	d := make([]bool, inputs)
	for i := range d {
		d[i] = o.gradient != nil
	}
	return d
}

func (o *op) SymDiff(in gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.gradient == nil {
		return nil, fmt.Errorf("operator %s has no second derivative", o.name)
	}
	return o.gradient(in, output, grad)
}

// Do runs the op on Gorgonia's values, all lanes counting.
func (o *op) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if o.output == nil {
		var v [1]float32
		if err := o.onto(v[:], in); err != nil {
			return nil, err
		}
		return gorgonia.NewF32(v[0]), nil
	}
	dst := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(o.output...))
	return o.UsePreallocDo(dst, in...)
}

func (o *op) UsePreallocDo(dst gorgonia.Value, in ...gorgonia.Value) (gorgonia.Value, error) {
	d, ok := dst.Data().([]float32)
	if !ok {
		return o.Do(in...)
	}
	return dst, o.onto(d, in)
}

func (o *op) onto(dst []float32, in []gorgonia.Value) error {
	data := make([][]float32, len(in))
	lanes := 0
	for i, v := range in {
		switch d := v.Data().(type) {
		case []float32:
			data[i] = d
		case float32:
			data[i] = []float32{d}
		default:
			return fmt.Errorf("operator %s: input %d is %T", o.name, i, d)
		}
		if s := v.Shape(); len(s) == 2 {
			lanes = s[1] // of the last matrix, which is an activation in every op
		}
	}
	o.run(o.kernels, dst, data, lanes, lanes, false)
	return nil
}

func (o *op) ReturnsPtr() bool      { return true }
func (o *op) CallsExtern() bool     { return false } // kernels return before the next op starts
func (o *op) OverwritesInput() int  { return -1 }
func (o *op) WriteHash(h hash.Hash) { fmt.Fprint(h, o.name, o.inputs, o.output) }
func (o *op) String() string        { return o.name }

func (o *op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

func shapes(ns gorgonia.Nodes) []tensor.Shape {
	s := make([]tensor.Shape, len(ns))
	for i, n := range ns {
		s[i] = n.Shape()
	}
	return s
}
