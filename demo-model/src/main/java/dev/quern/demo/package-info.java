/// The demo model's file.
package dev.quern.demo;
