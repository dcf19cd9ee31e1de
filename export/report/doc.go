// Package report draws forecasts and their verification: pictures as PNG or SVG,
// and one self-contained HTML page.
//
// Every function here goes from plain data to bytes. Nothing is read from a file or
// the clock, so the same data give the same bytes.
//
// All pictures share one style. A system has one colour wherever it appears: raw
// grey, EMOS orange, the statistical frame green, calibrated blue, observations
// black; the hues stay apart for colour-blind readers and in grey print. Axes carry
// the units that a forecaster reads (see Variable).
package report
