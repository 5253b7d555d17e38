/// Everything that is tested: the operators, one line each, and the rules about providers.
package dev.quern.conformance.catalog;
