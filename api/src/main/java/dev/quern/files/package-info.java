/// How Quern writes files: one way for models, reports and results. For Quern's own modules.
package dev.quern.files;
