
set edit:completion:arg-completer[pforge] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) PFORGE_COMPLETE="elvish" pforge -- $@words) | to-lines
}

