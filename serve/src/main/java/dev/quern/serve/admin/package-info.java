/// What runs on what, and how it fares: for those who run the server.
package dev.quern.serve.admin;
