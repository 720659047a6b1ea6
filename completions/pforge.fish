complete --keep-order --exclusive --command pforge --arguments "(PFORGE_COMPLETE=fish pforge -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
