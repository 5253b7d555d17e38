/// The façade for applications: find providers, choose among them, report the choice.
package dev.quern;
