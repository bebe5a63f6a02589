"""A card names its consumer and its partner together, so it cannot name a foreign partner."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("consumers", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
            ALTER TABLE consumers_paymentcard
                ADD CONSTRAINT payment_card_consumer_fk FOREIGN KEY (consumer_id, partner_id)
                REFERENCES consumers_consumer (id, partner_id)
            """,
            reverse_sql="ALTER TABLE consumers_paymentcard DROP CONSTRAINT payment_card_consumer_fk",
        )
    ]
