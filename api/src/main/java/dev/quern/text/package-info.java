/// Words of messages, for Quern's own modules.
package dev.quern.text;
