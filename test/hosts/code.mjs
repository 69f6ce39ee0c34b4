#!/usr/bin/env node
// An executable for @vscode/test-electron's runTests; the launcher itself is TypeScript.
import './launcher.ts';
