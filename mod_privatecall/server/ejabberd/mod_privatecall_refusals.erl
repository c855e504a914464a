%% mod_privatecall_refusals.erl: what mod_privatecall refuses, in the log: the
%% first at once, then one line in ten seconds with how many there were of each
%% reason, as the process of a host keeps it (doc/protocol.md, Refused).

-module(mod_privatecall_refusals).

-export([new/0, note/3, say/1]).

-define(EVERY, 10).             % seconds

%% unsaid: those not logged yet, last: who asked for the last of them; running:
%% say() is to come.
-type refusals() :: #{running := boolean(), total := non_neg_integer(),
                      unsaid := #{atom() => pos_integer()},
                      last := binary()}.

-spec new() -> refusals().
new() ->
    #{running => false, total => 0, unsaid => #{}, last => <<>>}.

-spec note(atom(), binary(), refusals()) -> refusals().
note(Why, Asker, #{running := false, total := Total} = Refusals) ->
    logger:warning("Refused what ~ts asked (~ts)", [Asker, Why]),
    again(Refusals#{total := Total + 1});
note(Why, Asker, #{unsaid := Unsaid, total := Total} = Refusals) ->
    Count = maps:get(Why, Unsaid, 0) + 1,
    Refusals#{total := Total + 1, last := Asker,
              unsaid := Unsaid#{Why => Count}}.

again(Refusals) ->
    erlang:send_after(?EVERY * 1000, self(), say_refusals),
    Refusals#{running := true}.

-spec say(refusals()) -> refusals().
say(#{unsaid := Unsaid} = Refusals) when map_size(Unsaid) == 0 ->
    Refusals#{running := false};
say(#{unsaid := Unsaid, total := Total, last := Last} = Refusals) ->
    logger:warning("Refused ~b more in ~b s: ~ts; the last asked by ~ts; "
                   "~b since the module was loaded",
                   [lists:sum(maps:values(Unsaid)), ?EVERY,
                    by_reason(Unsaid), Last, Total]),
    again(Refusals#{unsaid := #{}}).

by_reason(Unsaid) ->
    Most = lists:sort([{-Count, Why} || {Why, Count} <- maps:to_list(Unsaid)]),
    lists:join(", ", [io_lib:format("~ts ~b", [Why, -Count])
                      || {Count, Why} <- Most]).
