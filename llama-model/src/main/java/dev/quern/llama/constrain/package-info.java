/// Output that is held to a form: a regular expression or a JSON schema becomes an automaton over
/// bytes, and the automaton says before each token which ones may follow. Begin with
/// [dev.quern.llama.constrain.Constraint].
package dev.quern.llama.constrain;
