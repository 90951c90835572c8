# ruff: noqa: E501, RUF001 (lists of words; letters of many scripts look alike)
"""The words and phrases by which people opt out, ask for help, or come back, in many languages.

As people write them; `opting_out.py` reads them in the plain form in which it reads replies. Sources: 47 CFR
64.1200(a)(10), the customary lists of carriers, and the words that providers of each country print under messages.
"""

from __future__ import annotations

STRONG = """
stop stopall stopp unsubscribe unsubscribed unsub optout revoke remove dnd desist discontinue unreg stopit stopthis stopthat
arret arreter arretez desabonner desabonnement desinscription desinscrire
alto parar pare paren baja detener detenganse detente basta desuscribir desuscribirme desuscribirse borrenme
sair descadastrar descadastre
abmelden abmeldung abbestellen aufhören stoppen austragen austragung
smetti smettere smettetela smettila cancellatemi disiscrivi disiscrivimi disattiva cancellami
stopzetten afmelden afmelding uitschrijven
avsluta avregistrera sluta stoppa avmeld avslutt afmeld frameld
lopeta lopettakaa peruuta
dur durdur durdurun iptal
стоп отписаться отписка отпишите отпишись хватит прекратите відписатися відписка спри спрете
odjava odjavi prekini wypisz rezygnuję rezygnacja odhlásit odhlásiť leiratkozás leiratkozom állj dezabonare opriți oprește
στοπ διακοπή διαγραφή სტოპ
स्टॉप रोकें रोको रुको बंद बन्द roko வேண்டாம் நிறுத்து বন্ধ ఆపు ఆపండి थांबवा നിർത്തുക
توقف إيقاف قف أوقف لغو הסר עצור תפסיקו
退订 退訂 拒收 配信停止 退会 やめて 止めて ストップ 수신거부 무료거부 그만 해지
dừng hủy berhenti hentikan itigil tigil simamisha sitisha jiondoe หยุด
"""
"""They mean STOP in whatever short sentence they stand alone."""

WEAK = """
quit end cancel block cease delete nomore cancelar annulla cancella rimuovere borrar eliminar remover poista ret
anmullen отмена стани zrušit batal batalkan الغاء 停止 取消 解除 중지 거부 TD TC ยกเลิก huỷ huy
"""
"""They mean STOP as a whole reply only: they have other uses."""

PHRASES = """
opt out
opt me out
opting out
delete my data
erase my data
leave me alone
leave us alone
leave me the hell alone
block me
block this number
block my number
cease and desist
cease all
revoke my consent
revoke consent
withdraw my consent
do not disturb
cancel these
cancel all
cancel my subscription
cancel subscription
cancel texts
cancel messages
cancel sms
quit it
quit sending
end this
end these
not want messages
je ne veux plus
ne plus recevoir
plus de messages
plus de sms
merci darreter
ne mecrivez plus
ne m écrivez plus
me desabonner
arretez de
arrete de
arretez les
arreter les
me desinscrire
dar de baja
darme de baja
dame de baja
deme de baja
no mas
no quiero mas
no quiero recibir
no me escriban
no me escribas
no me manden
no me mandes
no me envien
no me envíes
borrenme
borrame
dejen de
deja de
cancelar suscripcion
nao quero receber
nao quero mais
nao me mande
nao me envie
pare de
parem de
me tira da lista
me remova
cancelar inscricao
quiero cancelar
aus dem verteiler
mich loschen
loschen sie mich
horen sie auf
hör auf
keine sms
keine nachrichten
keine werbung
löschen sie meine nummer
bitte loschen
nicht mehr schreiben
schreiben sie mir nicht
in ruhe
basta messaggi
non mandatemi
non voglio piu
non voglio ricevere
non voglio messaggi
non scrivetemi
non inviatemi
schrijf me uit
schrijf mij uit
geen berichten
geen sms
stop ermee
sluta skicka
sluta smsa
sluta sms
inga fler
ikke send
ikke flere
ingen flere
alkaa lahettako
ei enää viestejä
mesaj atmayın
mesaj göndermeyin
abonelikten çık
listeden çıkar
listeden çıkarın
iptal et
istemiyorum
не пишите
не пиши
не присылайте
не присылай
не звоните
больше не пишите
удалите мой номер
удалите меня
уберите меня
отпишите меня
отпиши ме
wypisz mnie
o wypisanie
nie wysyłajcie
nie wysylaj
nie pisz
nepište mi
neposilejte
ne küldjenek
nu mai trimiteti
nu mai trimite
बंद करो
बंद करें
बंद कर दो
बन्द करो
मत भेजो
मत भेजें
मत करो
मत करें
बंद कर दीजिये
बंद कर दीजिए
बंद कर दें
बंद कीजिए
મેસેજ ન મોકલો
બંધ કરો
ਬੰਦ ਕਰੋ
বন্ধ করুন
বন্ধ কর
band karo
band kro
band kar do
band karen
bandh karo
bandh kro
bnd kro
bnd karo
mat bhejo
mat bhejna
mat karo
rok do
band kar dijiye
band kar dijie
band kar de
band kar dein
band kardo
band kijiye
band karein
mat bhejiye
mat karna
mat karein
بند کرو
بند کریں
إلغاء الاشتراك
الغاء اشتراك
لا ترسل
لا ترسلوا
لا أريد رسائل
لغو11
نفرستید
ارسال نکنید
הסירו אותי
תסירו אותי
להסיר
tu choi
ngung
ngung gui
không gửi nữa
không nhận
jangan hubungi
jangan kirim
tama na
huwag na
acha kutuma
batal langganan
სტოპ
"""
"""They mean STOP wherever they stand."""

PARTS = """
停止发送 停止發送 取消订阅 取消訂閱 退订 退訂 不要再 不要发 不要發 送らないで 不要再傳 别发了 別發了 請停止 请停止 停止して 停止希望 メッセージ停止 短信停止 配信停止 やめてください 수신거부
보내지마 그만보내 หยุดส่ง ยกเลิกรับ
"""
"""They mean STOP inside whatever is written without spaces."""

DOUBTFUL_WORDS = """
spam scam reported blocked deceased enough annoying imdone thatsenough para fin peru cancelit cancelthat donot dont 关闭
iwanttocancel canicancel getlost goaway shutup stfu foff numberchanged nointerest pleasedonot
"""
"""As a whole reply they may mean STOP. One word a piece, without spaces."""

DOUBTFUL = """
wrong number
wrong person
wrong guy
wrong girl
wrong lady
number changed hands
this isnt
i am not interested
im not interested
not interested
not intrested
no interest
go away
cut it out
knock it off
fuck off
fuck you
f off
piss off
bugger off
get lost
shut up
this is spam
as spam
report you
reporting you
reporting this
my lawyer
will sue
sue you
harassment
harassing me
never signed up
didnt sign up
did not sign up
never subscribed
get my number
got my number
get this number
got this number
gave you my number
why are you texting
why do you text
why are you messaging
so annoying
is a scam
blocking you
block you
she died
he died
passed away
is dead
own this number
longer at this number
number anymore
new owner of this number
nicht interessiert
kein interesse
falsche nummer
no me interesa
no estoy interesado
número equivocado
se equivoco de numero
pas intéressé
pas interessee
faux numéro
mauvais numéro
não tenho interesse
número errado
non interessato
non mi interessa
numero sbagliato
не интересует
ошиблись номером
не тот номер
galat number
गलत नंबर
رقم خطأ
yanlış numara
ilgilenmiyorum
verkeerd nummer
geen interesse
fel nummer
打错了
打錯了
间違い
wanted no texts
"""
"""They may mean STOP wherever they stand; a person decides."""

HELP = "help helpme info information aide ayuda ajuda hilfe aiuto hulp hjälp hjelp apua pomoc помощь довідка मदद مساعدة 帮助 幫助 ヘルプ 도움말 bantuan yardım hepl hlep"
START = "start unstop yes resume optin subscribe alta démarrer anmelden старт 開始 开始 시작 शुरू ابدأ başla unblock resubscribe"

POLITE = """
please pls plz plse kindly now just ok okay thanks thank you thx ty hi hello hey there sir madam mam dear pleas asap immediately
svp stp sil vous te plait merci por favor gracias bitte danke per favore grazie aub alsjeblieft tack takk пожалуйста lütfen
kripya ji bhai yaar again
"""
"""They change nothing about a short reply."""

FILLERS = """
i im want wanna would like need wish you u to get getting this these those that it its the them all any me us my already said told
say make can could will have no not do it really everything every from of with and at once for good today right from a
texts text messages message sms msg msgs alerts alert ads ad spam promo promos promotions promotion marketing pub news
lol omg ffs damn fucking langganan langganen rassylka рассылка subscription service receiving receive how u your
ya más sms मुझे मैसेज message mujhe kar karo करो करें
"""
"""Beside a strong word they change nothing either."""

MISSPELLED = {
    "stop": "stpo sotp tsop stp stip srop dtop stio stol stoip sto ztop stoo stoppp stlp sop stob",
    "unsubscribe": "unsubcribe unsuscribe unsubsribe unscribe unsubsc unsubsrcibe unsub unsubscibe unsubscrib unsubscrip unsubscirbe unsubscride unsubsrib",
    "cancel": "cancle cancell cancal cancek",
    "help": "hepl hlep",
}
"""What thumbs make of them."""

ORDINARY = "step shop top slop swop stow store stoop stomp strop stork tops"
"""They look like STOP with a slip of the thumb, and are words."""

NOT = """
no ya ne plus non pas não nunca nicht keine kein keinen geen niet inga inte ikke ingen ingen ei nie nu ne не нет nahi na mat nahin नहीं मत لا نہ không jangan tidak huwag
"""
SENDING = """
mensaje mensajes recibir escribir escriban escribas mensagem mensagens mensagens receber envie envies recevoir envoyer envoyez ecrivez
nachricht nachrichten anschreiben schreiben zusenden berichten berichtjes ontvangen meldingen beskeder meddelanden skicka viestejä messaggi messaggio
inviate ricevere wiadomości wiadomosci wysyłać zprávy správy üzenetet poruke mesaje писать получать сообщения сообщений смс рассылку bhejo bhejiye bhejna
bhejein भेजें भेजिए भेजो मैसेज رسائل رسالة پیام پیامک tin nhan pesan sms
"""
"""Beside a word that says no, they may mean STOP. English has its own rules: many say that they got no message."""

COMMON = """
unsubscribed remove discontinue बंद बन्द বন্ধ arreter arretez detente zrusit disattiva
"""
"""Strong words that have other uses in longer sentences."""

STOP_EMOJI = "🛑🚫⛔"
DOUBTFUL_EMOJI = "🖕🔇🔕❌🙅😡🤬"
