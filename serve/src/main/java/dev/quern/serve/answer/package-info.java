/// What the protocols share: questions to an engine, the answers' ends, and fields that have the
/// same names in all of them.
package dev.quern.serve.answer;
