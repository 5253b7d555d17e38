/// What all rooms of the model throw where a user can mend something, and where they can.
package dev.quern.llama.error;
