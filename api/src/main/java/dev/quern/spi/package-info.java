/// What a kernel provider implements and is given. Applications do not use this package.
package dev.quern.spi;
