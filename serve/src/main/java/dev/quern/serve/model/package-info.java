/// Models by name: which there are, loading on demand within a budget of memory, and an engine for
/// each.
package dev.quern.serve.model;
