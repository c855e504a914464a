%% mod_privatecall_store.erl: what mod_privatecall remembers, for all hosts in
%% one: who has a call with whom, ids of calls, answers that are to come. It is
%% in Mnesia, so that it outlasts the module, and the first two the server.

-module(mod_privatecall_store).

-export([create/0, pair/2, bare/1, pair_known/2, renew/1, id_kind/2,
         id_known/3, remember_id/3, forsake_id/2, let_alone/2, alone_for/2,
         expect/2, expected/1, take/1, sweep/1, keep/0, expect_word/2,
         word/1, wordless/2]).
-export_type([ljid/0]).

-define(ANSWER_LIFE, 600000).   % ms that answers are known as such
-define(RENEW, 10000).          % ms that the age of a pair may lag behind
-define(ENTRIES, 20000).        % of each table
-define(WORDLESS, 16).          % stanzas of a pair that are kept

-define(PAIRS, privatecall_pair).       % {_, Pair, Ms}
-define(IDS, privatecall_id).           % {_, {Pair, Id}, Kind, Ms}: call,
                                % native, or alone: let_alone()
-define(ANSWERS, privatecall_answer).   % {_, Key, Value, Ms}

-type ljid() :: {binary(), binary(), binary()}.
-type pair() :: {{binary(), binary()}, {binary(), binary()}}.

create() ->
    Tables = [{?PAIRS, disc_copies, [pair, seen]},
              {?IDS, disc_copies, [key, kind, seen]},
              {?ANSWERS, ram_copies, [key, value, at]}],
    lists:foreach(
      fun({Name, Copies, Fields}) ->
              {atomic, ok} = ejabberd_mnesia:create(
                               ?MODULE, Name, [{Copies, [node()]},
                                               {attributes, Fields}])
      end, Tables).

now_ms() ->
    erlang:system_time(millisecond).

-spec pair(ljid(), ljid()) -> pair().
pair({U1, S1, _}, {U2, S2, _}) ->
    list_to_tuple(lists:sort([{U1, S1}, {U2, S2}])).

bare({U, S, _}) ->
    {U, S, <<>>}.

pair_known(Host, Pair) ->
    case mnesia:dirty_read(?PAIRS, Pair) of
        [{_, _, Seen}] ->
            now_ms() - Seen < mod_privatecall:opt(Host, pair_lifetime) * 1000;
        [] -> false
    end.

renew(Pair) ->
    Now = now_ms(),
    case mnesia:dirty_read(?PAIRS, Pair) of
        [{_, _, Seen}] when Now - Seen < ?RENEW, Now >= Seen -> ok;
        _ -> put_entry({?PAIRS, Pair, Now})
    end.

id_kind(Pair, Id) ->
    case mnesia:dirty_read(?IDS, {Pair, Id}) of
        [{_, _, Kind, _}] -> Kind;
        [] -> unknown
    end.

id_known(Host, Pair, Id) ->
    id_kind(Pair, Id) == call andalso pair_known(Host, Pair).

remember_id(Pair, Id, Kind) ->
    case id_kind(Pair, Id) of
        unknown ->
            put_entry({?IDS, {Pair, Id}, Kind, now_ms()}),
            Kind == call andalso some_host(keep),
            ok;
        _ -> ok
    end.

%% A start that the component has missed: none of its calls any more.
forsake_id(Pair, Id) ->
    put_entry({?IDS, {Pair, Id}, native, now_ms()}).

%% A start that was delivered while the component was down: its call is the
%% server's own, also when the component is back.
let_alone(Pair, Id) ->
    put_entry({?IDS, {Pair, Id}, alone, now_ms()}).

%% Since when, in ms, or none.
alone_for(Pair, Id) ->
    case mnesia:dirty_read(?IDS, {Pair, Id}) of
        [{_, _, alone, At}] -> now_ms() - At;
        _ -> none
    end.

expect(Key, Value) ->
    put_entry({?ANSWERS, Key, Value, now_ms()}).

expected(Key) ->
    Now = now_ms(),
    case mnesia:dirty_read(?ANSWERS, Key) of
        [{_, _, Value, At}] when Now - At < ?ANSWER_LIFE -> Value;
        _ -> none
    end.

take(Key) ->
    Value = expected(Key),
    Value == none orelse mnesia:dirty_delete(?ANSWERS, Key),
    Value.

%% What was redirected of a pair, until the component says a word of the pair,
%% the newest first.
expect_word(Pair, What) ->
    Earlier = case expected({word, Pair}) of
                  none -> [];
                  List -> lists:sublist(List, ?WORDLESS - 1)
              end,
    expect({word, Pair}, [{now_ms(), What} | Earlier]).

word(Pair) ->
    mnesia:dirty_delete(?ANSWERS, {word, Pair}).

%% Takes what was redirected on a host to a connection: [{Ms, What}], of a pair
%% the oldest first. By its place, not by its time: a millisecond holds several.
wordless(Host, Pid) ->
    Lists = mnesia:dirty_match_object(?ANSWERS, {?ANSWERS, {word, '_'}, '_',
                                                 '_'}),
    lists:append([wordless(Host, Pid, Entry) || Entry <- Lists]).

wordless(Host, Pid, {_, {word, Pair}, List, _}) ->
    Is = fun({_, {H, P, _, _}}) -> H == Host andalso P == Pid end,
    {Mine, Others} = lists:partition(Is, List),
    case Others of
        [] -> word(Pair);
        _ -> expect({word, Pair}, Others)
    end,
    lists:reverse(Mine).

%% A table over its limit is swept by the process of some host.
put_entry(Entry) ->
    Table = element(1, Entry),
    mnesia:dirty_write(Table, Entry),
    case mnesia:table_info(Table, size) > ?ENTRIES of
        true -> some_host(sweep);
        false -> ok
    end.

some_host(What) ->
    [Host | _] = [H || H <- ejabberd_option:hosts(),
                       gen_mod:is_loaded(H, mod_privatecall)],
    gen_server:cast(mod_privatecall:proc(Host), What).

%% Mnesia's log keeps writes back for two seconds: were the server killed then,
%% nobody could end a young call any more. What waits behind it is in it.
keep() ->
    receive {'$gen_cast', keep} -> keep()
    after 0 -> _ = mnesia:sync_log(), ok
    end.

sweep(Host) ->
    Life = mod_privatecall:opt(Host, pair_lifetime) * 1000,
    Now = now_ms(),
    drop(?PAIRS, {?PAIRS, '$1', '$2'}, Now - Life, fun(_) -> true end),
    drop(?IDS, {?IDS, '$1', '_', '$2'}, Now - Life,
         fun({Pair, _}) -> not pair_known(Host, Pair) end),
    drop(?ANSWERS, {?ANSWERS, '$1', '_', '$2'}, Now - ?ANSWER_LIFE,
         fun(_) -> true end).

%% Drops what is older than Before, and the oldest of what is too much.
drop(Table, Pattern, Before, IsOver) ->
    Expired = mnesia:dirty_select(Table, [{Pattern, [{'=<', '$2', Before}],
                                           ['$1']}]),
    [mnesia:dirty_delete(Table, Key) || Key <- Expired, IsOver(Key)],
    case mnesia:table_info(Table, size) - ?ENTRIES of
        TooMany when TooMany > 0 ->
            All = mnesia:dirty_select(Table, [{Pattern, [],
                                               [{{'$2', '$1'}}]}]),
            [mnesia:dirty_delete(Table, Key)
             || {_, Key} <- lists:sublist(lists:sort(All), TooMany)],
            ok;
        _ -> ok
    end.
