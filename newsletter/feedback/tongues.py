"""
What servers of many countries say, in the English that `dispatch.outcome` understands.

Takes the words of a refusal, yields them with what their language's phrases mean put before them. Refusals at SMTP time
are English almost everywhere; what a mailbox's own server writes to people is not. Pure.
"""

import re
from typing import Final

UNKNOWN: Final = "user unknown"
"""What a phrase comes to that says there is no such mailbox."""

FULL: Final = "mailbox is full"
"""Likewise, of a mailbox without room."""

SPAM: Final = "refused as spam"
"""Likewise, of a message that is not wanted for what it is."""

_UNKNOWN: Final = re.compile(
    # German
    r"empfänger(adresse)? (ist )?(unbekannt|nicht gefunden|existiert nicht)|benutzer (ist )?unbekannt"
    r"|(adresse|postfach|mailbox|benutzer|empfänger|konto)\b.{0,40}\b(existiert nicht|nicht gefunden|ist unbekannt)"
    r"|(nicht gefunden werden|konnte nicht gefunden)\b|unbekannter (benutzer|empfänger)"
    # French
    r"|(utilisateur|destinataire|adresse|boîte|boite|compte)\b.{0,40}\b(inconnue?s?|introuvables?|inexistante?s?"
    r"|invalides?)\b"
    r"|(adresse|boîte|boite|utilisateur|destinataire|compte)\b.{0,60}\bn['’ ]existe (pas|plus)"
    r"|n['’]a pas été trouvée?"
    # Spanish, Portuguese, Italian
    r"|(usuario|destinatario|buz[oó]n|direcci[oó]n|cuenta)\b.{0,40}\b(desconocid[oa]|no existe|inexistente"
    r"|no encontrad[oa])"
    r"|no se (ha )?(pudo|encontr[oó]|encontrado)\b.{0,30}(encontrar|direcci[oó]n|destinatario|buz[oó]n)"
    r"|(usu[aá]rio|destinat[aá]rio|caixa( postal)?|endere[cç]o|conta)\b.{0,40}\b(desconhecid[oa]|n[aã]o existe"
    r"|inexistente|n[aã]o encontrad[oa])"
    r"|(utente|destinatario|casella|indirizzo)\b.{0,40}\b(sconosciut[oa]|non esiste|inesistente"
    r"|non [eè] stat[oa] trovat[oa]|non trovat[oa])"
    # Dutch, Swedish, Danish, Norwegian, Finnish
    r"|(gebruiker|geadresseerde|ontvanger|adres|postvak)\b.{0,40}\b(onbekend|bestaat niet|niet gevonden)"
    r"|niet worden gevonden"
    r"|(användare[n]?|mottagare[n]?|adressen|kontot)\b.{0,40}\b(okänd|finns inte|hittades inte)|gick inte att hitta"
    r"|(bruger(en)?|bruker(en)?|modtager(en)?|mottaker(en)?|adressen)\b.{0,40}\b(ukendt|ukjent|findes ikke"
    r"|finnes ikke|blev ikke fundet)"
    r"|(käyttäjää|vastaanottajaa|osoitetta)\b.{0,40}\b(ei (ole|löydy|löytynyt)|tuntematon)"
    # Polish, Czech, Slovak, Hungarian, Romanian
    r"|(użytkownik|adresat|konto|adres|skrzynka)\b.{0,40}\b(nie istnieje|nieznany|nie znaleziono"
    r"|nie został[ao]? znalezion)"
    r"|(uživatel|příjemce|adresa|schránka|používateľ|príjemca)\b.{0,40}\b(neexistuje|neznám[ýáy]|nebyla? nalezena?"
    r"|nenájden)"
    r"|(felhasználó|címzett|postafiók|cím)\b.{0,40}\b(nem létezik|ismeretlen|nem található)"
    r"|(utilizator(ul)?|destinatar(ul)?|adresa|căsuța)\b.{0,40}\b(necunoscut[ăa]?|nu există|inexistent[ăa]?)"
    # Greek, Turkish, Russian, Ukrainian, Bulgarian
    r"|(χρήστης|παραλήπτης|διεύθυνση|γραμματοκιβώτιο)\b.{0,40}\b(δεν υπάρχει|άγνωστ\w+|δεν βρέθηκε)"
    r"|(kullanıcı|alıcı|adres|posta kutusu)\b.{0,40}\b(bulunamadı|bilinmiyor|mevcut değil)"
    r"|(пользовател\w+|получател\w+|адрес\w*|ящик\w*|користувач\w*|одержувач\w*|потребител\w*)\b.{0,40}"
    r"\b(не существует|не найден\w?|неизвестен|не існує|не знайдено|не съществува)"
    # Arabic, Hebrew, Chinese, Japanese, Korean
    r"|(المستلم|المستخدم|العنوان|علبة البريد).{0,40}(غير معروف|غير موجود|لم يتم العثور)|לא קיים|לא נמצא"
    r"|(用户|用戶|收件人|邮箱|信箱|地址|账号).{0,20}(不存在|未知|找不到)|(宛先|ユーザー?|受信者"
    r"|アドレス).{0,20}(存在しません|見つかりません|不明)|사용자.{0,20}(없|찾을 수)",
    re.IGNORECASE,
)
_FULL: Final = re.compile(
    r"(postfach|mailbox|speicherplatz|quota).{0,40}(voll\b|überfüllt|überschritten|erschöpft)"
    r"|(bo[iî]te|messagerie|quota|espace).{0,60}(pleine|satur[ée]e|d[ée]pass[ée])"
    r"|(buz[oó]n|bandeja|cuota|caixa|casella|quota).{0,40}(llen[oa]|cheia|piena|super[oa]da|superat[oa]"
    r"|excedid[oa]|exced)"
    r"|(postvak|mailbox|postbus).{0,30}\bvol\b|(inkorgen|brevlådan|postkasse(n)?|indbakke(n)?).{0,30}(full|fuld)"
    r"|skrzynka.{0,30}(pełna|przepełniona)|schránka.{0,30}(plná|přeplněna)|postafiók.{0,20}(megtelt|tele)"
    r"|căsuța.{0,30}plin"
    r"|γραμματοκιβώτιο.{0,40}(γεμάτο|πλήρες)|posta kutusu.{0,20}dolu|ящик.{0,30}(переполнен|заполнен|пълн)"
    r"|(علبة البريد|صندوق البريد).{0,40}(ممتلئ|ممتلئة)|(邮箱|信箱|郵箱).{0,20}(已满|已滿|空间不足)|(メールボックス"
    r"|容量).{0,20}(いっぱい|超え|超過)",
    re.IGNORECASE,
)
_SPAM: Final = re.compile(
    r"als spam (eingestuft|erkannt|abgelehnt)|unerwünschte (werbung|nachricht)|spam-?verdacht"
    r"|(rejet[ée]e?|refus[ée]e?|bloqu[ée]e?|identifi[ée]e?)\b.{0,30}\b(spam|ind[ée]sirables?|pourriel)"
    r"|(rechazado|bloqueado|rifiutato|bloccato|rejeitad[oa]|bloquead[oa])\b.{0,30}\b(spam|correo no deseado"
    r"|indesiderat[oa])"
    r"|(odrzucon[ay]|zablokowan[ay]|отклонен\w*|заблокирован\w*)\b.{0,30}\b(spam|спам)|垃圾邮件|垃圾郵件|スパム"
    r"|迷惑メール",
    re.IGNORECASE,
)


_PHRASES: Final = ((_SPAM, SPAM), (_FULL, FULL), (_UNKNOWN, UNKNOWN))


def in_english(words: str) -> str:
    """Put before the words what they mean, where that is known and they are not English."""
    if words.isascii() and not _ASCII_LANGUAGES.search(words):
        return words
    told = [meaning for pattern, meaning in _PHRASES if pattern.search(words)]
    return ": ".join((*told[:1], words))


_ASCII_LANGUAGES: Final = re.compile(
    r"\b(nicht|ist|voll|unbekannt|werbung|eingestuft|inconnue?|existe|pleine|pas|destinataire|destinatari[oa]|usuario"
    r"|usuari|cuenta|utente|casella|utilizator|gebruiker|geadresseerde|adres|postvak|finns|findes|finnes|uzytkownik"
    r"|skrzynka|schranka|felhasznalo|kutusu|rejete|rechazado|rifiutato|boite|caixa|ontvanger|bruger)\b",
    re.IGNORECASE,
)
"""Words that no English refusal has: the patterns above are looked for only where they can be found."""
