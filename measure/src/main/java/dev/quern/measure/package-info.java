/// What `quern bench` runs and shows, and how spread, machine and memory are told anywhere else.
package dev.quern.measure;
