// Package faults has tests of the program as a whole: started as a process, killed,
// given broken files and too little room, and started once a day for a month. Their
// long form is make test-faults.
package faults
