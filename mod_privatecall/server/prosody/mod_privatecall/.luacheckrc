-- What a module of Prosody finds in its environment.
std = "lua54"
max_line_length = 80
read_globals = { "prosody" }
globals = { "module" }
